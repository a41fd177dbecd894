import { STATUS_CODES } from 'node:http'

/** The answer to a request. */
export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: object
}

/** A fault at a place in the request. */
export interface FieldError {
  /** JSON pointer into the body, `/lines/0/sku`; or `query/limit`, `header/idempotency-key`, `path/id`. */
  path: string
  message: string
}

/** A refusal in the format of RFC 9457. The status gives its kind, `detail` what to do about it. */
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
