import type { RequestHandler } from 'express'
import { pageHeaders } from '../../../../infra/web/page-headers.ts'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'

/**
 * Refuses requests that a page of another site could have caused. The console listens on the loopback interface, which any
 * page in the operator's browser can reach as well; to the browser, the pages of all ports of a host are of the same site.
 *
 * - The host must be this machine: a name that a foreign DNS server points here is refused (DNS rebinding).
 * - A request that changes something must come from a page of the console and carry JSON, which no form can send.
 */
export function guard(hosts: () => ReadonlySet<string>): RequestHandler {
  return (request, response, next) => {
    response.set(pageHeaders)
    const { host = '', origin } = request.headers
    if (!hosts().has(host)) return send(response, problem(421, `The console is not served at "${host}".`))
    const site = request.headers['sec-fetch-site']
    const isForeign =
      (origin !== undefined && origin !== `http://${host}`) ||
      (site !== undefined && site !== 'same-origin' && site !== 'none')
    const reads = request.method === 'GET' || request.method === 'HEAD'
    // A link to the console may stand on any page; what it reads is shown to the operator only
    const isNavigation = request.headers['sec-fetch-mode'] === 'navigate'
    if (isForeign && !(reads && isNavigation))
      return send(response, problem(403, 'This request came from another site.'))
    if (!reads && request.is('application/json') !== 'application/json')
      return send(response, problem(415, 'Send application/json.'))
    next()
  }
}

/** The hosts under which a server on this port of the loopback interface may be asked. */
export const loopbackHosts = (port: number): ReadonlySet<string> =>
  new Set(['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`))
