import { Pool } from 'undici'
import type { z } from 'zod'
import { TallyError } from './errors.ts'
import { withDeadline } from './promises.ts'
import { denied, isDenial, readAddress } from './server-address.ts'

export interface CallOptions {
  /** The server acts once per key, however often it is called. */
  idempotencyKey: string
  signal: AbortSignal
  /** W3C trace context of the call. */
  traceparent?: string | undefined
}

/** Schemas of the definite answers, by HTTP status. */
export type DefiniteAnswers<Answer> = Readonly<Record<number, z.ZodType<Answer>>>

export interface JsonClient {
  /**
   * Resolves with a definite answer. With any error the outcome is unknown.
   * @throws TallyError DENIED for the statuses 401 and 403; UNREACHABLE for any other status or body, no answer in time, no
   * connection
   */
  post<Answer>(path: string, body: object, answers: DefiniteAnswers<Answer>, options: CallOptions): Promise<Answer>
}

/** Answers are small; a larger one is malformed. Bytes. */
const maxResponseSize = 64 * 1024

/** A client of an external JSON API. Connects at the first call and pools connections; idle ones do not keep the process alive. */
export function createJsonClient({
  name,
  url,
  setting,
  timeoutMs = 5_000,
}: {
  /** For messages: `payment gateway`. */
  name: string
  /** A user and password in it are sent as HTTP basic authentication. */
  url: string
  /** The variable that names the URL, for messages. */
  setting: string
  /** Time limit of a call, from the request to the last byte of the answer. @default 5000 */
  timeoutMs?: number
}): JsonClient {
  const address = readAddress(url)
  const { origin, pathname } = new URL(address.url)
  const base = pathname.replace(/\/$/, '')
  const pool = new Pool(origin, { connections: 64, maxResponseSize })
  const unknown = (why: string, cause?: unknown) => new TallyError('UNREACHABLE', `The ${name} ${why}`, { cause })

  const send = async (path: string, body: object, { idempotencyKey, signal, traceparent }: CallOptions) => {
    try {
      return await withDeadline(signal, timeoutMs, async (inTime) => {
        const response = await pool.request({
          method: 'POST',
          path: `${base}${path}`,
          headers: {
            ...address.headers,
            ...{ 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
            ...(traceparent !== undefined && { traceparent }),
          },
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
      if (!schema && isDenial(status)) throw denied(`The ${name}`, status, setting)
      if (!schema) throw unknown(`answered ${status}`)
      const parsed = schema.safeParse(parseJson(text))
      if (parsed.success) return parsed.data
      const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
      throw unknown(`answered ${status} with a body it should not have (${problems.join('; ')})`)
    },
  }
}

/** The value, or `undefined`, which no JSON text yields and no schema of an object accepts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
