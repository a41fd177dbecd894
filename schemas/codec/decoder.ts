import avro from 'avsc'
import type { Schema, Type } from 'avsc'
import { describeError, TallyError } from '../../infra/errors.ts'
import { whyReplaced } from '../../infra/kafka/patches/fetch/replaced-value.ts'
import { canonicalForm, parseSchema } from '../avro-schema.ts'
import type { AvroType, RecordType } from '../avro-schema.ts'
import { compileBounds } from '../binary/bounds.ts'
import { headerBytes, schemaIdOf, whyUnframed } from './framing.ts'
import { takesFullName, takesName } from '../binary/rules.ts'
import { compileResolver } from '../binary/resolver.ts'
import type { EventData, EventType } from '../generated/events.ts'
import type { EventSchema } from '../load-schemas.ts'
import { findFault } from '../validate.ts'

export interface DecodedEvent {
  type: EventType
  data: EventData[EventType]
  schemaId: number
}

/** Reads events with today's schemas, whatever they were written with. It knows the writer schemas it was told of. */
export interface Decoder {
  /**
   * Adds a writer schema, as JSON, and the schemas it refers to. Never throws: for an unusable one, `decode` gives the reason.
   */
  add(schemaId: number, schema: unknown, referred?: readonly unknown[]): void
  /** Makes `decode` refuse everything written with this schema. */
  reject(schemaId: number, why: string): void
  /** Forgets the schema. */
  forget(schemaId: number): void
  knows(schemaId: number): boolean
  /** Event type by the writer schema's full name; undefined where the schema is not known or not an event's. */
  typeOf(schemaId: number): EventType | undefined
  /** Full name of the record of a known schema, an event of this version or not. */
  nameOf(schemaId: number): string | undefined
  /** Why nothing written with this schema can be read; undefined if it can, or was never told of. */
  whyUnreadable(schemaId: number): string | undefined
  /** @throws TallyError UNREADABLE with the reason; INVARIANT for a schema id it was never told of */
  decode(value: Buffer | null): DecodedEvent
}

interface Writer {
  name?: string
  type?: EventType
  unreadable?: string
  read(value: Buffer): DecodedEvent
}

export function createDecoder(schemas: readonly EventSchema[]): Decoder {
  const writers = new Map<number, Writer>()
  const reject = (schemaId: number, why: string, known: Pick<Writer, 'name' | 'type'> = {}) => {
    const read = () => {
      throw new TallyError('UNREADABLE', why)
    }
    writers.set(schemaId, { ...known, unreadable: why, read })
  }
  return {
    add: (schemaId, schema, referred) => {
      let known: Pick<Writer, 'name' | 'type'> = {}
      try {
        const writer = parseSchema(schema, referred)
        const reader = writer.kind === 'record' ? readerFor(writer, schemas) : undefined
        known = { name: writer.kind === 'record' ? writer.name : undefined, type: reader?.type }
        if (reader) writers.set(schemaId, { ...known, read: compileRead(schemaId, reader, writer) })
        else reject(schemaId, `${'name' in writer ? writer.name : writer.kind} is not an event of this version`, known)
      } catch (error) {
        reject(schemaId, `schema ${schemaId} cannot be read as today's: ${describeError(error)}`, known)
      }
    },
    reject: (schemaId, why) => reject(schemaId, why),
    forget: (schemaId) => void writers.delete(schemaId),
    knows: (schemaId) => writers.has(schemaId),
    typeOf: (schemaId) => writers.get(schemaId)?.type,
    nameOf: (schemaId) => writers.get(schemaId)?.name,
    whyUnreadable: (schemaId) => writers.get(schemaId)?.unreadable,
    decode: (value) => {
      if (value === null) throw new TallyError('UNREADABLE', 'a tombstone: the record has no value')
      const schemaId = schemaIdOf(value)
      if (schemaId === undefined) {
        throw new TallyError('UNREADABLE', whyReplaced(value) ?? whyUnframed(value))
      }
      const writer = writers.get(schemaId)
      if (!writer) throw new TallyError('INVARIANT', `schema ${schemaId} was not learnt before decoding`)
      return writer.read(value)
    },
  }
}

/** Names count without their namespace, too: a producer without one says the same. */
const readerFor = (writer: RecordType, schemas: readonly EventSchema[]): EventSchema | undefined =>
  schemas.find(({ record }) => takesFullName(record, writer)) ?? schemas.find(({ record }) => takesName(record, writer))

/** @throws TallyError UNREADABLE if the reader can read no value of this writer */
function compileRead(schemaId: number, { type, schema, record }: EventSchema, writer: AvroType): Writer['read'] {
  const checkBounds = compileBounds(writer)
  const same = canonicalForm(writer) === canonicalForm(record)
  const resolver = same ? undefined : compileResolver(record, writer)
  if (resolver?.never !== undefined) throw new TallyError('UNREADABLE', resolver.never)
  const readBody = resolver?.read ?? readLike(avro.Type.forSchema(schema as Schema))
  return (value) => {
    checkBounds(value, headerBytes)
    const data = readBody(value, headerBytes) as EventData[EventType]
    const fault = findFault(type, data)
    if (fault !== undefined) throw new TallyError('UNREADABLE', `${type}: ${fault}`)
    return { type, data, schemaId }
  }
}

/** For the reader's own schema, which nearly all events have: avsc needs two thirds of the resolver's time. */
const readLike = (reader: Type) => (value: Buffer, offset: number) => {
  try {
    return reader.decode(value, offset).value
  } catch (error) {
    throw new TallyError('UNREADABLE', describeError(error)) // Bounds are checked: only an integer beyond 2^53 remains
  }
}
