import type { RequestHandler } from 'express'
import { describeError } from '../../../../infra/errors.ts'
import type { WebBundle } from '../bundle/bundle.ts'

/**
 * Serves the pages. A path without a file is a page: the program in the browser reads the address.
 * @param load called at the first request, and again after a failure: a stack whose console nobody opens builds nothing
 */
export function serveBundle(load: () => Promise<WebBundle>): RequestHandler {
  let bundle: Promise<WebBundle> | undefined
  return async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next()
    let files: WebBundle
    try {
      files = await (bundle ??= load())
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
      'content-type': file.type,
      'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-store',
      vary: 'accept-encoding',
    })
    if (request.acceptsEncodings('gzip')) response.set('content-encoding', 'gzip').end(file.gzip)
    else response.end(file.body)
  }
}
