import type { Meter } from '../../../infra/monitor/meters.ts'
import express from 'express'
import type { ErrorRequestHandler, Express, RequestHandler } from 'express'
import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import { bodyFaults } from './body-faults.ts'
import { anybody } from './caller.ts'
import type { Guard } from './guard.ts'
import { describeApi } from './openapi.ts'
import { send, serve } from './operation.ts'
import type { Operation } from './operation.ts'
import { problem } from './reply.ts'
import { meterRequests } from './request-meter.ts'

export interface AppOptions {
  log: Logger
  meter?: Meter | undefined
  /** Names by which clients may address the API, lower case. @default those of the loopback interface */
  allowedHosts?: readonly string[]
  /** @default everybody may do everything */
  guard?: Guard
  /** Pages for customers, below `/shop`. @default none */
  shop?: RequestHandler | undefined
}

/** The HTTP interface: its operations, `GET /openapi.json` that describes them, and refusals of any other request. */
export function createApp(
  operations: readonly Operation[],
  {
    log,
    meter,
    allowedHosts = ['127.0.0.1', 'localhost', '[::1]'],
    guard = async () => ({ caller: anybody }),
    shop,
  }: AppOptions,
): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  if (meter) app.use(meterRequests(meter))
  app.use(protect(new Set(allowedHosts)))
  const all = [...operations, describeApi(operations)]
  for (const operation of all) app[operation.method](expressPath(operation.path), ...serve(operation, guard))
  for (const [path, methods] of methodsByPath(all)) app.all(expressPath(path), refuseMethod(methods))
  if (shop) app.use('/shop', shop).get('/', (_request, response) => response.redirect('/shop/'))
  app.use((request, response) => send(response, problem(404, `There is no resource at ${request.path}.`)))
  app.use(answerErrors(log))
  return app
}

/** For the browsers of those who open an address of the API: nothing of it is a page, and nothing of it is kept. */
const protection = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/**
 * A page of another site may give its own name this machine's address, and its scripts then reach the API as their own
 * site (DNS rebinding). Such requests carry the site's name in `Host`.
 */
function protect(allowedHosts: ReadonlySet<string>): RequestHandler {
  return (request, response, next) => {
    response.set(protection)
    const host = request.headers.host?.toLowerCase().replace(/:\d+$/, '') ?? ''
    if (allowedHosts.has(host)) return next()
    send(response, problem(421, 'The API does not have this name.'))
  }
}

/** `/orders/{id}` as Express writes it: `/orders/:id`. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

function methodsByPath(operations: readonly Operation[]): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  for (const { path, method } of operations) methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()])
  return methods
}

const refuseMethod =
  (methods: readonly string[]): RequestHandler =>
  (request, response) => {
    const allowed = methods.join(', ')
    const refusal = problem(405, `${request.method} is not allowed here, only ${allowed}.`)
    send(response, { ...refusal, headers: { ...refusal.headers, allow: allowed } })
  }

function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error)
    const { status, type } = error as { status?: unknown; type?: unknown }
    if (isTallyError(error) && error.retryable) {
      log.warn({ path: request.path, error: describeError(error) }, 'request refused temporarily')
      return send(response, problem(503, `Temporarily unavailable: ${error.message}. Retry later.`, { retryAfterS: 1 }))
    }
    if (typeof status === 'number' && status >= 400 && status < 500) {
      return send(
        response,
        problem(status, bodyFaults[type as keyof typeof bodyFaults] ?? 'The request cannot be read.'),
      )
    }
    const { stack } = error as { stack?: unknown }
    log.error({ path: request.path, error: describeError(error), stack }, 'request failed')
    send(response, problem(500, 'An internal error occurred.'))
  }
}
