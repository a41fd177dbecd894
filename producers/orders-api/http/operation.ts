import { isUtf8 } from 'node:buffer'
import { json } from 'express'
import type { RequestHandler, Response } from 'express'
import type { ZodType } from 'zod'
import { maxBodyBytes } from './body-faults.ts'
import { anybody } from './caller.ts'
import type { Access, Caller } from './caller.ts'
import { checkParts, invalid } from './check-parts.ts'
import type { Input, Parts } from './check-parts.ts'
import type { Guard } from './guard.ts'
import { problem } from './reply.ts'
import type { Reply } from './reply.ts'

export interface Answer {
  description: string
  /** Absent if there is no body, or if it is not JSON. */
  body?: ZodType
  mediaType?: string
}

/** One operation of the HTTP interface: its handler together with its description, so that neither exists alone. */
export interface Operation<P extends Parts = Parts> {
  method: 'get' | 'post' | 'put'
  access: Access
  /** As in OpenAPI: `/orders/{id}`. */
  path: string
  id: string
  summary: string
  description?: string
  request: P
  /** By status; the document adds the refusals that all operations share. */
  answers: Record<number, Answer>
  /** Returns the reply, or nothing if it has answered the request itself. */
  handle(input: Input<P>, caller: Caller, response: Response): Promise<Reply | undefined> | Reply
}

/** Infers the types of `handle`, then erases them so that all operations fit into one list. */
export const operation = <P extends Parts>(definition: Operation<P>): Operation => definition as unknown as Operation

/** The Express handler of an operation: reads the body, validates every part, handles and answers. */
export function serve({ request: parts, access, handle }: Operation, guard: Guard): RequestHandler[] {
  const admit: RequestHandler = async (request, response, next) => {
    const { caller, refusal } = access === 'open' ? { caller: anybody } : await guard(access, request)
    if (refusal) return send(response, refusal)
    response.locals['caller'] = caller
    next()
  }
  const answer: RequestHandler = async (request, response) => {
    if (parts.query && !isPercentUtf8(request.url))
      return send(response, problem(400, 'The query is not UTF-8, percent-encoded.'))
    const checked = checkParts(parts, {
      path: request.params,
      query: request.query,
      header: request.headers,
      body: request.body as unknown,
    })
    const reply = checked.errors
      ? invalid(checked.errors)
      : await handle(checked.input, response.locals['caller'] as Caller, response)
    if (reply) send(response, reply)
  }
  // The body is read only for those who may send it
  return parts.body ? [admit, requireJson, json({ limit: maxBodyBytes, verify: requireUtf8 }), answer] : [admit, answer]
}

export function send(response: Response, { status, headers = {}, body }: Reply): void {
  response.status(status).set(headers)
  if (body === undefined) response.end()
  else response.type(headers['content-type'] ?? 'application/json').send(JSON.stringify(body))
}

const requireJson: RequestHandler = (request, response, next) => {
  // `is` returns null without a body: then the schema refuses it
  if (request.is('application/json') === false) send(response, problem(415, 'Send application/json.'))
  else next()
}

/** The body parser would replace invalid bytes, and read other encodings of Unicode. */
function requireUtf8(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8') throw Object.assign(new Error(), { status: 415, type: 'charset.unsupported' })
  if (!isUtf8(body)) throw Object.assign(new Error(), { status: 400, type: 'body.not.utf8' })
}

/** A query that is not would be read with replacement characters. */
function isPercentUtf8(url: string): boolean {
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}
