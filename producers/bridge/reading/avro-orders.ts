import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeError, TallyError } from '../../../infra/errors.ts'
import { parseSchema } from '../../../schemas/avro-schema.ts'
import { compileBounds } from '../../../schemas/binary/bounds.ts'
import { compileResolver } from '../../../schemas/binary/resolver.ts'
import { headerBytes, schemaIdOf, whyUnframed } from '../../../schemas/codec/framing.ts'
import { createLearn } from '../../../schemas/codec/learn.ts'

/** Reads orders in Avro, framed as the schema registry's serializers do: a zero byte, the schema id, the record. */
export interface AvroOrders {
  /**
   * @returns the fields of NewOrder; whether they make an order is for the contract to say
   * @throws TallyError UNREADABLE with the reason; UNREACHABLE or DENIED while the registry does not give the schema
   */
  read(body: Buffer): Promise<unknown>
}

/** How long the registry is not asked again for an unknown schema id, ms. */
const unknownForMs = 30_000
/** Ids of schemas that do not exist can be as many as there are messages. */
const unknownAtMost = 1_000

type ReadOrder = (body: Buffer) => unknown

/** What a sender's schema must give, by the names of the fields. A sender may have more fields. */
const newOrderSchema = (): ReturnType<typeof parseSchema> =>
  parseSchema(JSON.parse(readFileSync(join(import.meta.dirname, 'NewOrder.avsc'), 'utf8')))

export function createAvroOrders(registryUrl: string): AvroOrders {
  const reader = newOrderSchema()
  const readers = new Map<number, ReadOrder>()
  const reject = (schemaId: number, why: string) =>
    void readers.set(schemaId, () => {
      throw new TallyError('UNREADABLE', why)
    })
  const learn = createLearn({
    ...{ registryUrl, unknownForMs, unknownAtMost },
    decoder: {
      add: (schemaId, schema, referred) => {
        try {
          readers.set(schemaId, compileRead(reader, parseSchema(schema, referred)))
        } catch (error) {
          reject(schemaId, `schema ${schemaId} is not an order's: ${describeError(error)}`)
        }
      },
      reject,
      forget: (schemaId) => void readers.delete(schemaId),
      knows: (schemaId) => readers.has(schemaId),
    },
  })
  return {
    async read(body) {
      const schemaId = schemaIdOf(body)
      if (schemaId === undefined) throw new TallyError('UNREADABLE', whyUnframed(body))
      await learn([schemaId])
      const readOrder = readers.get(schemaId)
      if (!readOrder) throw new TallyError('INVARIANT', `schema ${schemaId} was not learnt before reading`)
      return readOrder(body)
    },
  }
}

type AvroType = ReturnType<typeof parseSchema>

/** @throws TallyError UNREADABLE if no value of this writer can be an order */
function compileRead(reader: AvroType, writer: AvroType): ReadOrder {
  const checkBounds = compileBounds(writer)
  const resolver = compileResolver(reader, writer)
  if (resolver.never !== undefined) throw new TallyError('UNREADABLE', resolver.never)
  return (body) => {
    checkBounds(body, headerBytes)
    return resolver.read(body, headerBytes)
  }
}
