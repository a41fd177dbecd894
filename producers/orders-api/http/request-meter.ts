import type { Meter } from '../../../infra/monitor/meters.ts'
import type { RequestHandler } from 'express'
import { timer } from '../../../infra/monitor/meters.ts'

/**
 * Times every request, under the names of OpenTelemetry's semantic conventions. An event stream lasts as long as its
 * connection. A request that is cut off counts with the status 499.
 */
export function meterRequests(meter: Meter): RequestHandler {
  const labels = ['http_request_method', 'http_route', 'http_response_status_code']
  const time = timer(meter, 'http_server_request_duration_seconds', 'Duration of requests', labels)
  return (request, response, next) => {
    const began = performance.now()
    response.once('close', () => {
      const { path: route = 'unknown' } = (request.route ?? {}) as { path?: string }
      time(performance.now() - began, {
        http_request_method: request.method,
        http_route: route,
        http_response_status_code: response.writableFinished ? response.statusCode : 499,
      })
    })
    next()
  }
}
