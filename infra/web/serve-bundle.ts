import type { RequestHandler } from 'express'
import { describeError } from '../errors.ts'
import { loadWebBundle } from './bundle.ts'
import type { Site, WebBundle } from './bundle.ts'
import { pageHeaders } from './page-headers.ts'

/**
 * Serves a site at its base. A path without a file is a page: the program in the browser reads the address. The site is
 * built at the first request, and again after a failure: a server whose pages nobody opens builds nothing.
 */
export function serveBundle(site: Site): RequestHandler {
  let bundle: Promise<WebBundle> | undefined
  return async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next()
    let files: WebBundle
    try {
      files = await (bundle ??= loadWebBundle(site))
    } catch (error) {
      bundle = undefined
      response
        .status(503)
        .type('text/plain')
        .send(`${describeError(error)}\n`)
      return
    }
    const isAsset = request.path.startsWith('/assets/')
    const file = files.get(request.path) ?? (isAsset ? undefined : files.get('/index.html'))
    if (!file) return next()
    response.set({
      ...pageHeaders,
      'content-type': file.type,
      'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-store',
      vary: 'accept-encoding',
    })
    if (request.acceptsEncodings('gzip')) response.set('content-encoding', 'gzip').end(file.gzip)
    else response.end(file.body)
  }
}
