import avro from 'avsc'
import type { Schema, Type } from 'avsc'
import { describeError, TallyError } from '../../infra/errors.ts'
import { whyReplaced } from '../../infra/kafka/patches/fetch/replaced-value.ts'
import { parseSchema } from '../avro-schema.ts'
import { compileBounds } from './bounds.ts'
import { typeOfFullName } from '../envelope.ts'
import { headerBytes, schemaIdOf } from './framing.ts'
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
  /** Adds a writer schema, as JSON. Never throws: for an unusable one, `decode` gives the reason. */
  add(schemaId: number, schema: unknown): void
  /** Makes `decode` refuse everything written with this schema. */
  reject(schemaId: number, why: string): void
  /** Forgets the schema. */
  forget(schemaId: number): void
  knows(schemaId: number): boolean
  /** Event type by the writer schema's full name; undefined where the schema is not known or not an event's. */
  typeOf(schemaId: number): EventType | undefined
  /** Why nothing written with this schema can be read; undefined if it can, or was never told of. */
  whyUnreadable(schemaId: number): string | undefined
  /** @throws TallyError UNREADABLE with the reason; INVARIANT for a schema id it was never told of */
  decode(value: Buffer | null): DecodedEvent
}

interface Writer {
  type?: EventType
  unreadable?: string
  read(value: Buffer): DecodedEvent
}

export function createDecoder(schemas: readonly EventSchema[]): Decoder {
  const writers = new Map<number, Writer>()
  const readers = new Map<EventType, Type>()
  const readerOf = (type: EventType): Type => {
    const reader = readers.get(type) ?? compile(schemas.find((schema) => schema.type === type)?.schema)
    readers.set(type, reader)
    return reader
  }
  const reject = (schemaId: number, why: string, type?: EventType) => {
    const read = () => {
      throw new TallyError('UNREADABLE', why)
    }
    writers.set(schemaId, { type, unreadable: why, read })
  }
  return {
    add: (schemaId, schema) => {
      let type: EventType | undefined
      try {
        const written = parseSchema(schema)
        const name = 'name' in written ? written.name : written.kind
        type = typeOfFullName(name)
        if (type === undefined) reject(schemaId, `${name} is not an event of this version`)
        else writers.set(schemaId, { type, read: compileRead(schemaId, type, readerOf(type), schema) })
      } catch (error) {
        reject(schemaId, `schema ${schemaId} cannot be read as today's: ${describeError(error)}`, type)
      }
    },
    reject,
    forget: (schemaId) => void writers.delete(schemaId),
    knows: (schemaId) => writers.has(schemaId),
    typeOf: (schemaId) => writers.get(schemaId)?.type,
    whyUnreadable: (schemaId) => writers.get(schemaId)?.unreadable,
    decode: (value) => {
      if (value === null) throw new TallyError('UNREADABLE', 'a tombstone: the record has no value')
      const schemaId = schemaIdOf(value)
      if (schemaId === undefined) {
        throw new TallyError('UNREADABLE', whyReplaced(value) ?? 'the value does not begin with a schema id')
      }
      const writer = writers.get(schemaId)
      if (!writer) throw new TallyError('INVARIANT', `schema ${schemaId} was not learnt before decoding`)
      return writer.read(value)
    },
  }
}

function compileRead(schemaId: number, type: EventType, reader: Type, schema: unknown): Writer['read'] {
  const checkBounds = compileBounds(parseSchema(schema))
  const writer = compile(schema)
  const resolver = reader.equals(writer) ? undefined : reader.createResolver(writer)
  return (value) => {
    checkBounds(value, headerBytes)
    const data = decodeBody(reader, value, resolver) as EventData[EventType]
    const fault = findFault(type, data)
    if (fault !== undefined) throw new TallyError('UNREADABLE', `${type}: ${fault}`)
    return { type, data, schemaId }
  }
}

function decodeBody(reader: Type, value: Buffer, resolver: ReturnType<Type['createResolver']> | undefined): unknown {
  try {
    return reader.decode(value, headerBytes, resolver).value
  } catch (error) {
    throw new TallyError('UNREADABLE', describeError(error)) // Bounds are checked: only an integer beyond 2^53 remains
  }
}

const compile = (schema: unknown): Type => avro.Type.forSchema(schema as Schema)
