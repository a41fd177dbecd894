import { Pool } from 'undici'
import type { z } from 'zod'
import { TallyError } from './errors.ts'
import { withDeadline } from './promises.ts'

export interface CallOptions {
  /** The other side does what it is asked once per key, however often it is asked. */
  idempotencyKey: string
  signal: AbortSignal
}

/** The bodies that are definite answers, by HTTP status. */
export type DefiniteAnswers<Answer> = Readonly<Record<number, z.ZodType<Answer>>>

export interface JsonClient {
  /**
   * Resolves with a definite answer. Everything else leaves the outcome unknown.
   * @throws TallyError UNREACHABLE for any other status or body, no answer in time, no connection
   */
  post<Answer>(path: string, body: object, answers: DefiniteAnswers<Answer>, options: CallOptions): Promise<Answer>
}

/** Answers are small; more than this is nonsense. */
const maxResponseSize = 64 * 1024

/** A client of somebody else's JSON API. Connects at the first call and keeps its connections; idle ones keep no process alive. */
export function createJsonClient({
  name,
  url,
  timeoutMs = 5_000,
}: {
  /** For messages: `payment gateway`. */
  name: string
  url: string
  /** For a whole call, from asking to the last byte of the answer. @default 5000 */
  timeoutMs?: number
}): JsonClient {
  const { origin, pathname } = new URL(url)
  const base = pathname.replace(/\/$/, '')
  const pool = new Pool(origin, { connections: 64, maxResponseSize })
  const unknown = (why: string, cause?: unknown) => new TallyError('UNREACHABLE', `The ${name} ${why}`, { cause })

  const send = async (path: string, body: object, { idempotencyKey, signal }: CallOptions) => {
    try {
      return await withDeadline(signal, timeoutMs, async (inTime) => {
        const response = await pool.request({
          method: 'POST',
          path: `${base}${path}`,
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
          body: JSON.stringify(body),
          signal: inTime,
        })
        return { status: response.statusCode, text: await response.body.text() }
      })
    } catch (error) {
      throw unknown('does not answer', error)
    }
  }
  return {
    async post(path, body, answers, options) {
      const { status, text } = await send(path, body, options)
      const schema = answers[status]
      if (!schema) throw unknown(`answered ${status}`)
      const parsed = schema.safeParse(parseJson(text))
      if (parsed.success) return parsed.data
      const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
      throw unknown(`answered ${status} with a body it should not have (${problems.join('; ')})`)
    },
  }
}

/** The value, or `undefined` (which is no JSON, so no schema of an object takes it). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
