import type { RequestHandler, Response } from 'express'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'
import { operatorOf } from '../http/sign-in.ts'
import type { Hello } from '../../contract/session.ts'
import type { Feeds, Watcher } from './feeds.ts'

const heartbeatMs = 15_000
/** A page watches a few feeds; a tab has one stream. */
const atMost = { feeds: 10, streams: 64 }
/** A browser that reads more slowly than this is cut off; it connects again and gets the present state. */
const unreadBytes = 16 * 2 ** 20

/** The longest time that a timer of Node.js can wait, ms. */
const longestMs = 2 ** 31 - 1

/**
 * `GET /api/stream?watch=orders&watch=…`: all that a tab watches in one stream, because a browser opens at most six
 * connections to a server. Events: `hello`; `data` with a new reading; `same` for a reading that has not changed; `trouble`
 * with a problem instead; `over` when the session has ended.
 */
export function streamOf(feeds: Feeds, hello: Omit<Hello, 'session'>): { handle: RequestHandler; stop(): void } {
  const streams = new Set<Response>()
  return {
    handle(request, response) {
      const names = [...new Set([request.query['watch'] ?? []].flat())].filter((name) => typeof name === 'string')
      if (names.length > atMost.feeds || streams.size >= atMost.streams)
        return send(response, problem(503, 'Too many pages are open.'))
      response.set('content-type', 'text/event-stream')
      response.flushHeaders()
      const write = (event: string, data: string) => {
        if (response.writableLength > unreadBytes) return response.destroy()
        response.write(`event: ${event}\ndata: ${data}\n\n`)
      }
      const session = operatorOf(response)
      write('hello', JSON.stringify({ ...hello, session } satisfies Hello))
      const onReading: Watcher = (name, reading, isNew) => {
        const feed = JSON.stringify(name)
        if (!isNew) write('same', `{"feed":${feed}}`)
        else if ('json' in reading) write('data', `{"feed":${feed},"body":${reading.json}}`)
        else write('trouble', `{"feed":${feed},"problem":${JSON.stringify(reading.problem)}}`)
      }
      const ends = names.map((name) => feeds.watch(name, onReading))
      const heartbeat = setInterval(() => response.write(': alive\n\n'), heartbeatMs)
      const leave = () => {
        clearInterval(heartbeat)
        clearTimeout(over)
        streams.delete(response)
        for (const end of ends) end()
      }
      const onOver = () => {
        leave() // Nothing may be written after the end
        write('over', '{}')
        response.end()
      }
      const over = session && setTimeout(onOver, Math.min(Date.parse(session.endsAt) - Date.now(), longestMs))
      streams.add(response)
      response.once('close', leave)
    },
    stop() {
      for (const response of streams) response.end()
    },
  }
}
