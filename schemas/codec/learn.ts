import { describeError, isTallyError, TallyError } from '../../infra/errors.ts'
import { parseSchema } from '../avro-schema.ts'
import type { Decoder } from './decoder.ts'
import { askRegistry, unreachable } from '../registry/registry-client.ts'

export interface LearnOptions {
  registryUrl: string
  decoder: Pick<Decoder, 'add' | 'reject' | 'forget' | 'knows'>
  /** How long a negative answer is remembered, ms. */
  unknownForMs: number
  /** Most negative answers remembered: more than all lanes read before they decode. @default 50000 */
  unknownAtMost?: number
  /** Time limit of a request, ms. */
  timeoutMs?: number
}

/** Most schemas fetched at once: a corrupt batch can name as many schema ids as it has records. */
const requestsAtOnce = 8

/** Fetches writer schemas for a decoder. Concurrent requests for one schema are merged. */
export function createLearn({ registryUrl, decoder, unknownForMs, unknownAtMost = 50_000, timeoutMs }: LearnOptions) {
  const underWay = new Map<number, Promise<void>>()
  const refusedUntil = new Map<number, number>()

  const refuse = (schemaId: number, why: string) => {
    decoder.reject(schemaId, why)
    refusedUntil.delete(schemaId) // A map keeps the order of insertion: the latest refusal must be forgotten last
    refusedUntil.set(schemaId, performance.now() + unknownForMs)
    if (refusedUntil.size <= unknownAtMost) return
    const [oldest] = refusedUntil.keys()
    refusedUntil.delete(oldest!)
    decoder.forget(oldest!)
  }

  const fetchSchema = async (schemaId: number): Promise<void> => {
    const answer = await ask(`/schemas/ids/${schemaId}`)
    if (answer === undefined) return refuse(schemaId, `schema ${schemaId} is unknown to the registry`)
    try {
      const referred = await fetchReferred(answer)
      const schema = readAvro(answer)
      parseSchema(schema, referred)
      refusedUntil.delete(schemaId)
      decoder.add(schemaId, schema, referred)
    } catch (error) {
      if (isTallyError(error, 'UNREACHABLE') || isTallyError(error, 'DENIED')) throw error
      refuse(schemaId, `schema ${schemaId} cannot be used: ${describeError(error)}`)
    }
  }

  /** The schemas that an answer refers to, each after those it refers to itself. */
  const fetchReferred = async (answer: SchemaAnswer, seen = new Set<string>()): Promise<unknown[]> => {
    const found: unknown[] = []
    for (const { subject, version } of answer.references ?? []) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`
      if (seen.has(path)) continue
      seen.add(path)
      const referred = await ask(path)
      if (referred === undefined)
        throw new TallyError('UNREADABLE', `the registry has no version ${version} of ${subject}`)
      found.push(...(await fetchReferred(referred, seen)), readAvro(referred))
    }
    return found
  }

  /**
   * The schema as it was registered. The registry's client would compile it, which fails for parts that reading does not need.
   */
  const ask = async (path: string): Promise<SchemaAnswer | undefined> => {
    const answer = await askRegistry(registryUrl, path, { timeoutMs })
    if (answer === undefined || isSchema(answer)) return answer
    throw unreachable(registryUrl, new Error(`${path}: not a schema`))
  }

  const learnOne = (schemaId: number): Promise<void> => {
    const request = underWay.get(schemaId) ?? fetchSchema(schemaId).finally(() => underWay.delete(schemaId))
    underWay.set(schemaId, request)
    return request
  }

  return async (schemaIds: Iterable<number>): Promise<void> => {
    const now = performance.now() // The machine's clock may be set back
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

/** @throws TallyError UNREADABLE, or an error of JSON */
function readAvro({ schema, schemaType = 'AVRO' }: SchemaAnswer): unknown {
  if (schemaType !== 'AVRO') throw new TallyError('UNREADABLE', `it is of the format ${schemaType}`)
  return JSON.parse(schema)
}

interface SchemaAnswer {
  readonly schema: string
  /** Left out for Avro. */
  readonly schemaType?: string
  readonly references?: readonly { subject: string; version: number }[]
}

const isSchema = (answer: unknown): answer is SchemaAnswer =>
  typeof answer === 'object' && answer !== null && 'schema' in answer && typeof answer.schema === 'string'
