import { z } from 'zod'
import { header, order, path } from '../http/contract.ts'
import { streamTimeline } from './event-stream.ts'
import type { SubjectLimits } from '../http/subject-limits.ts'
import { findKnown } from './find-known.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import type { OrderReader } from './order-reader.ts'
import { problem } from '../http/reply.ts'
import type { TimelineFeed } from './timeline-feed.ts'
import { noSuchOrder } from './write-orders.ts'

export interface ReadDeps {
  reader: OrderReader
  feed: TimelineFeed
  limits: Pick<SubjectLimits, 'openStream'>
  heartbeatMs?: number
}

/** The status of an order, read once or followed. */
export function readOperations({ reader, feed, limits, heartbeatMs }: ReadDeps): Operation[] {
  const timelineOf = async (orderId: string, after: number) =>
    (await reader.timeline(new Map([[orderId, after]]))).get(orderId) ?? []

  const getOrder = operation({
    method: 'get',
    access: ['orders:own', 'orders:any'],
    path: '/orders/{id}',
    id: 'getOrder',
    summary: 'Get the status and timeline of an order',
    request: { path: path.orderId },
    answers: { 200: { description: 'The order', body: order }, 404: { description: 'No such order' } },
    handle: async ({ path: { id } }, caller) => {
      const status = await findKnown(reader, id, caller)
      return status ? { status: 200, body: { ...status, timeline: await timelineOf(id, 0) } } : noSuchOrder(id)
    },
  })

  const followOrder = operation({
    method: 'get',
    access: ['orders:own', 'orders:any'],
    path: '/orders/{id}/events',
    id: 'followOrder',
    summary: 'Follow the timeline of an order',
    description: `Server-sent events: one \`entry\` per timeline entry with its seq as id, then, once the order is completed, cancelled or
rejected, one \`end\` with its status. Resumes after Last-Event-ID.`,
    request: { path: path.orderId, header: header.resume },
    answers: {
      200: { description: 'The stream', mediaType: 'text/event-stream', body: z.string() },
      204: { description: 'The order has ended and there is nothing after Last-Event-ID: do not reconnect' },
      404: { description: 'No such order' },
    },
    handle: async ({ path: { id }, header: { 'last-event-id': last } }, caller, response) => {
      const status = await findKnown(reader, id, caller)
      if (!status) return noSuchOrder(id)
      if (status.endedAt && last !== undefined && (await timelineOf(id, Number(last))).length === 0)
        return { status: 204 }
      if (response.closed) return undefined // Nothing would ever end the stream of a client that has left meanwhile
      const close = limits.openStream(caller)
      if (!close) return problem(429, 'You follow too many orders.', { retryAfterS: 5 })
      const streaming = streamTimeline(response, { feed, orderId: id, after: Number(last ?? 0), heartbeatMs })
      if (streaming) return void response.once('close', close)
      close()
      return problem(503, 'Too many orders are being followed.', { retryAfterS: 5 })
    },
  })

  return [getOrder, followOrder]
}
