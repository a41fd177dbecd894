import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avro from 'avsc'
import { describeError, TallyError } from '../../infra/errors.ts'
import type { Decoder } from './decoder.ts'
import { askRegistry, statusOf, unreachable } from '../registry/registry-client.ts'

export interface LearnOptions {
  registry: SchemaRegistry
  registryUrl: string
  decoder: Pick<Decoder, 'add' | 'reject' | 'forget' | 'knows'>
  /** How long a negative answer is remembered, ms. */
  unknownForMs: number
  /** Most negative answers remembered: more than all lanes read before they decode. @default 50000 */
  unknownAtMost?: number
}

/** Most schemas fetched at once: a corrupt batch can name as many schema ids as it has records. */
const requestsAtOnce = 8

/** Fetches writer schemas for a decoder. Concurrent requests for one schema are merged. */
export function createLearn({ registry, registryUrl, decoder, unknownForMs, unknownAtMost = 50_000 }: LearnOptions) {
  const underWay = new Map<number, Promise<void>>()
  const refusedUntil = new Map<number, number>()

  const refuse = (schemaId: number, why: string) => {
    decoder.reject(schemaId, why)
    refusedUntil.delete(schemaId) // A map keeps the order of insertion: the latest refusal must be forgotten last
    refusedUntil.set(schemaId, Date.now() + unknownForMs)
    if (refusedUntil.size <= unknownAtMost) return
    const [oldest] = refusedUntil.keys()
    refusedUntil.delete(oldest!)
    decoder.forget(oldest!)
  }

  const accept = (schemaId: number, answer: SchemaAnswer) => {
    try {
      const schema = usableSchema(answer)
      refusedUntil.delete(schemaId)
      decoder.add(schemaId, schema)
    } catch (error) {
      refuse(schemaId, `schema ${schemaId} cannot be used: ${describeError(error)}`)
    }
  }

  const fetchSchema = async (schemaId: number): Promise<void> => {
    try {
      const schema: unknown = await registry.getSchema(schemaId)
      refusedUntil.delete(schemaId)
      if (schema instanceof avro.Type) decoder.add(schemaId, schema.schema({ exportAttrs: true }))
      else refuse(schemaId, `schema ${schemaId} is not an Avro schema`)
    } catch (error) {
      // The client's errors do not distinguish a bad schema from a bad answer; the registry's own answer does
      const status = statusOf(error)
      if (status !== undefined && status !== 404) throw unreachable(registryUrl, error)
      const answer = await askRegistry(registryUrl, `/schemas/ids/${schemaId}`)
      if (answer === undefined) return refuse(schemaId, `schema ${schemaId} is unknown to the registry`)
      if (status === 404 || !isSchema(answer)) throw unreachable(registryUrl, error)
      // The first answer may have been garbled: judge the schema by this one
      accept(schemaId, answer)
    }
  }

  const learnOne = (schemaId: number): Promise<void> => {
    const request = underWay.get(schemaId) ?? fetchSchema(schemaId).finally(() => underWay.delete(schemaId))
    underWay.set(schemaId, request)
    return request
  }

  return async (schemaIds: Iterable<number>): Promise<void> => {
    const now = Date.now()
    const needed = new Set<number>()
    for (const id of schemaIds) if (!decoder.knows(id) || (refusedUntil.get(id) ?? now + 1) <= now) needed.add(id)
    if (needed.size === 0) return
    const queue = needed.values()
    const worker = async () => {
      for (const id of queue) await learnOne(id)
    }
    await Promise.all(Array.from({ length: Math.min(requestsAtOnce, needed.size) }, worker))
  }
}

/** @throws TallyError UNREADABLE, or an error of JSON or avsc, if it is not an Avro schema */
function usableSchema({ schema, schemaType = 'AVRO' }: SchemaAnswer): avro.Schema {
  if (schemaType !== 'AVRO') throw new TallyError('UNREADABLE', `it is of the format ${schemaType}`)
  const parsed = JSON.parse(schema) as avro.Schema
  avro.Type.forSchema(parsed)
  return parsed
}

interface SchemaAnswer {
  readonly schema: string
  /** Left out for Avro. */
  readonly schemaType?: string
}

const isSchema = (answer: unknown): answer is SchemaAnswer =>
  typeof answer === 'object' && answer !== null && 'schema' in answer && typeof answer.schema === 'string'
