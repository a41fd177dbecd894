import type { RequestHandler, Response } from 'express'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'
import type { Feeds, Watcher } from './feeds.ts'

const heartbeatMs = 15_000
/** A page watches a few feeds; a tab has one stream. */
const atMost = { feeds: 10, streams: 64 }
/** A browser that reads more slowly than this is cut off; it connects again and gets the present state. */
const unreadBytes = 16 * 2 ** 20

/** What a stream begins with. */
export interface Hello {
  /** Differs after each start of the server. */
  readonly boot: string
  /** Who acts unless an operator gives another name. */
  readonly actor: string
}

/**
 * `GET /api/stream?watch=orders&watch=…`: all that a tab watches in one stream, because a browser opens at most six
 * connections to a server. Events: `hello`; `data` with a new reading; `same` for a reading that has not changed; `trouble`
 * with a problem instead.
 */
export function streamOf(feeds: Feeds, hello: Hello): { handle: RequestHandler; stop(): void } {
  const streams = new Set<Response>()
  return {
    handle(request, response) {
      const names = [...new Set([request.query['watch'] ?? []].flat())].filter((name) => typeof name === 'string')
      if (names.length > atMost.feeds || streams.size >= atMost.streams)
        return send(response, problem(503, 'Too many pages are open.'))
      response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.flushHeaders()
      const write = (event: string, data: string) => {
        if (response.writableLength > unreadBytes) return response.destroy()
        response.write(`event: ${event}\ndata: ${data}\n\n`)
      }
      write('hello', JSON.stringify(hello))
      const onReading: Watcher = (name, reading, isNew) => {
        const feed = JSON.stringify(name)
        if (!isNew) write('same', `{"feed":${feed}}`)
        else if ('json' in reading) write('data', `{"feed":${feed},"body":${reading.json}}`)
        else write('trouble', `{"feed":${feed},"problem":${JSON.stringify(reading.problem)}}`)
      }
      const ends = names.map((name) => feeds.watch(name, onReading))
      const heartbeat = setInterval(() => response.write(': alive\n\n'), heartbeatMs)
      streams.add(response)
      response.once('close', () => {
        clearInterval(heartbeat)
        streams.delete(response)
        for (const end of ends) end()
      })
    },
    stop() {
      for (const response of streams) response.end()
    },
  }
}
