import { session } from './session.ts'

/** The API's refusal of a request, as problem details (RFC 9457). */
export interface Problem {
  /** 0 if there was no answer. */
  readonly status: number
  /** In English, from the API. */
  readonly detail: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/** A request that was refused or got no answer. */
export class Failed extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export const problemOf = (error: unknown): Problem =>
  error instanceof Failed ? error.problem : { status: 0, detail: String(error) }

/** Whether the outcome of a request is known: without an answer, or with one of these, it may have taken effect. */
export const isDefinite = ({ status }: Problem): boolean =>
  status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status)

interface Request {
  readonly method?: 'GET' | 'POST'
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const timeoutMs = 15_000

/**
 * Sends a request to the orders API.
 * @throws Failed
 */
export async function ask<T>(path: string, request: Request = {}): Promise<T> {
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(request.signal ? [request.signal] : [])])
  const response = await send(path, { ...request, signal })
  return (await noAnswer(() => response.json())) as T
}

/** The same for an image: an address for `src`. Revoke it when it is shown no more. @throws Failed */
export async function askImage(path: string, signal: AbortSignal): Promise<string> {
  const response = await send(path, { signal })
  return URL.createObjectURL(await noAnswer(() => response.blob()))
}

/** The answer, whose body may still be on its way. @throws Failed */
export async function send(path: string, { method = 'GET', body, headers, signal }: Request): Promise<Response> {
  const token = session.token()
  const response = await noAnswer(() =>
    fetch(path, {
      method,
      cache: 'no-store',
      headers: {
        ...headers,
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      signal,
    }),
  )
  if (response.ok) return response
  if (response.status === 401) session.refused()
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>
  throw new Failed({ status: response.status, detail: problem.detail ?? response.statusText, errors: problem.errors })
}

async function noAnswer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Failed({ status: 0, detail: error instanceof Error ? error.message : String(error) })
  }
}
