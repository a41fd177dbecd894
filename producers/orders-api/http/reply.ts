import { STATUS_CODES } from 'node:http'

/** What a request is answered with. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: object
}

/** A place in the request and what is wrong with it. */
export interface FieldError {
  /** JSON pointer into the body, `/lines/0/sku`; or `query/limit`, `header/idempotency-key`, `path/id`. */
  path: string
  message: string
}

/** A refusal as RFC 9457 describes it. The status says what kind it is, `detail` what to do about it. */
export function problem(
  status: number,
  detail: string,
  more: { errors?: readonly FieldError[]; retryAfterS?: number } = {},
): Reply {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(more.retryAfterS !== undefined && { 'retry-after': String(more.retryAfterS) }),
    },
    body: {
      type: 'about:blank',
      title: STATUS_CODES[status],
      status,
      detail,
      ...(more.errors && { errors: more.errors }),
    },
  }
}
