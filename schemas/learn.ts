import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import avro from 'avsc'
import { describeError } from '../infra/errors.ts'
import type { Decoder } from './decoder.ts'
import { askRegistry, statusOf, unreachable } from './registry-client.ts'

export interface LearnOptions {
  registry: SchemaRegistry
  registryUrl: string
  decoder: Pick<Decoder, 'add' | 'reject' | 'knows'>
  /** How long a negative answer counts, milliseconds. */
  unknownForMs: number
}

/** A batch of garbage names as many schema ids as it has records. */
const requestsAtOnce = 8

/** Fetches writer schemas for a decoder. Concurrent requests for one schema are one request. */
export function createLearn({ registry, registryUrl, decoder, unknownForMs }: LearnOptions) {
  const underWay = new Map<number, Promise<void>>()
  const refusedUntil = new Map<number, number>()

  const refuse = (schemaId: number, why: string) => {
    decoder.reject(schemaId, why)
    refusedUntil.set(schemaId, Date.now() + unknownForMs)
  }

  const fetchSchema = async (schemaId: number): Promise<void> => {
    try {
      const schema: unknown = await registry.getSchema(schemaId)
      refusedUntil.delete(schemaId)
      if (schema instanceof avro.Type) decoder.add(schemaId, schema.schema({ exportAttrs: true }))
      else refuse(schemaId, `schema ${schemaId} is not an Avro schema`)
    } catch (error) {
      const status = statusOf(error)
      if (status === undefined) return refuse(schemaId, `schema ${schemaId} cannot be used: ${describeError(error)}`)
      if (status !== 404 || (await askRegistry(registryUrl, `/schemas/ids/${schemaId}`)) !== undefined) {
        throw unreachable(registryUrl, error)
      }
      refuse(schemaId, `schema ${schemaId} is unknown to the registry`)
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
