import type { Response } from 'express'
import type { OrderStatus, TimelineEntry } from '../http/contract.ts'
import type { TimelineFeed } from './timeline-feed.ts'

export interface EventStreamOptions {
  feed: Pick<TimelineFeed, 'watch' | 'unwatch'>
  orderId: string
  /** seq of the last entry the client has. */
  after: number
  /** Interval of comments that keep proxies from closing the connection, ms. @default 15000 */
  heartbeatMs?: number
}

/**
 * Streams a timeline as server-sent events: one `entry` per event with its seq as id, then one `end` with the
 * status. Without an `end` the client reconnects and resumes.
 * @returns false, with nothing written, if there are too many streams
 */
export function streamTimeline(
  response: Response,
  { feed, orderId, after, heartbeatMs = 15_000 }: EventStreamOptions,
): boolean {
  const watcher = {
    orderId,
    after,
    onEntry: (entry: TimelineEntry) =>
      void response.write(`id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`),
    onEnd: (status?: OrderStatus) => void response.end(status && `event: end\ndata: ${JSON.stringify(status)}\n\n`),
  }
  if (!feed.watch(watcher)) return false
  response
    .status(200)
    .set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  response.write('retry: 2000\n\n')
  const heartbeat = setInterval(() => response.write(': heartbeat\n\n'), heartbeatMs).unref()
  response.on('close', () => {
    clearInterval(heartbeat)
    feed.unwatch(watcher)
  })
  return true
}
