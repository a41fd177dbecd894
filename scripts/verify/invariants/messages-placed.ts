import { count, counted, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Each message that a bridge took is one order of its own, with one OrderPlaced event. */
export const messagesPlaced = ({ history, tables, outboxes, causeOf }: Evidence): Finding =>
  judge('messages-placed', 'each message of a queue that became an order is one order', (report) => {
    const reportOf = explaining(report, causeOf)
    const waiting = new Set(
      outboxes.flatMap(({ lanes }) => [...lanes.values()].flatMap((lane) => [...lane.waiting.values()])),
    )
    const eventIds = new Map(tables.accepted.map(({ orderId, eventId }) => [orderId, eventId]))
    const messageOf = new Map<string, string>()
    const sources = new Map<string, number>()
    for (const { source, id, orderId } of tables.messages) {
      sources.set(`from ${source}`, (sources.get(`from ${source}`) ?? 0) + 1)
      const other = messageOf.get(orderId)
      if (other !== undefined) report(`${orderId} is the order of both ${other} and ${id}`)
      messageOf.set(orderId, id)
      const placed = history.fold.orders.get(orderId)?.placed.length ?? 0
      const pending = placed === 0 && waiting.has(eventIds.get(orderId) ?? '')
      if (placed !== 1 && !pending) reportOf(orderId, `message ${id} of ${source} has ${placed} OrderPlaced events`)
    }
    return `${count(tables.messages.length)} messages: ${counted(sources)}`
  })
