import { setTimeout as wait } from 'node:timers/promises'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { describeError, isTallyError, TallyError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { denied, isDenial, readAddress } from '../../infra/server-address.ts'

/** Time limit of a request, ms. */
const patienceMs = 10_000

/** The `retry` of the client applies to the whole process, so only this sets it. Callers decide when to retry. */
export function createRegistry(registryUrl: string, timeoutMs: number = patienceMs): SchemaRegistry {
  const { url, headers } = readAddress(registryUrl)
  return new SchemaRegistry({
    host: url,
    clientId: 'tally',
    retry: { retries: 0 },
    middlewares: [
      () => ({
        prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs, headers }),
        response: (next) => next(),
      }),
    ],
  })
}

/**
 * Sends a request that the client has no function for.
 * @returns the body; undefined if the registry has no such object, or if another process just did the same
 * @throws TallyError DENIED; UNREACHABLE without an answer and for every other answer. Only the registry's own error code shows that
 * an object does not exist; a proxy in front of it answers 404, too
 */
export async function askRegistry(
  registryUrl: string,
  path: string,
  { put, timeoutMs = patienceMs }: { put?: object; timeoutMs?: number } = {},
): Promise<unknown> {
  const address = readAddress(registryUrl)
  const answer = await fetch(`${address.url}${path}`, {
    method: put ? 'PUT' : 'GET',
    body: put && JSON.stringify(put),
    headers: { ...address.headers, 'content-type': 'application/vnd.schemaregistry.v1+json' },
    signal: AbortSignal.timeout(timeoutMs),
  })
    .then(async (response) => {
      if (isDenial(response.status)) throw deniedBy(registryUrl, response.status)
      return { response, body: (await response.json()) as { error_code?: number } }
    })
    .catch((error: unknown) => {
      throw isTallyError(error) ? error : unreachable(registryUrl, error)
    })
  if (answer.response.ok) return answer.body
  if (answer.response.status === 409 || String(answer.body.error_code).startsWith('404')) return undefined
  throw unreachable(
    registryUrl,
    new Error(`${path}: ${answer.response.status} ${JSON.stringify(answer.body).slice(0, 200)}`),
  )
}

/** What a failed request means: DENIED if the registry refuses access, else UNREACHABLE. */
export const unreachable = (registryUrl: string, cause: unknown): TallyError =>
  isDenial(statusOf(cause))
    ? deniedBy(registryUrl, statusOf(cause))
    : new TallyError('UNREACHABLE', `The schema registry at ${registryUrl} does not answer as it should`, { cause })

const deniedBy = (registryUrl: string, status: number | undefined): TallyError =>
  denied(`The schema registry at ${registryUrl}`, status, 'TALLY_REGISTRY_URL')

/** Status of an error of the client. It reports a refused connection as 400, so only 404 is reliable. */
export const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined

export interface Patience {
  log?: Logger
  /** Ends the wait. */
  signal?: AbortSignal
}

/** Retries with growing delays until the registry answers. */
export async function untilReachable<T>(work: () => Promise<T>, { log, signal }: Patience): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isTallyError(error, 'UNREACHABLE')) throw error
      const pauseMs = Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)
      log?.warn({ attempt, pauseMs: Math.round(pauseMs) }, describeError(error))
      await wait(pauseMs, undefined, { signal })
    }
  }
}
