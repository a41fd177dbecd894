import type { OrdersPage } from '../../consumers/operations/orders/find-orders.ts'
import type { GroupPart } from '../../consumers/operations/orders/group-part.ts'
import type { OrderEvent } from '../../consumers/operations/orders/order-event.ts'
import type { OrderAccount } from '../../consumers/operations/orders/read-order.ts'
import { whyWaiting } from '../../consumers/operations/orders/why-waiting.ts'
import { count } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { printable } from '../../infra/text/printable.ts'

/** Orders, one a line. */
export const ordersReport = ({ orders, next }: OrdersPage): Report => ({
  verdict:
    orders.length === 0
      ? 'No order matches.'
      : `${count(orders.length, 'order')}${next === null ? '' : ', and more: raise --limit'}.`,
  parts: [
    {
      head: ['order', 'status', 'reason', 'customer', 'total', 'changed'],
      rows: orders.map(({ orderId, status, reason, customerId, totalMinor, currency, updatedAt }) => [
        ...[printable(orderId), status, reason ?? '', printable(customerId ?? 'unknown')],
        ...[totalMinor === null ? '' : `${totalMinor} ${currency} minor units`, updatedAt],
      ]),
    },
  ],
  next: orders[0] && `npm run orders -- show ${orders[0].orderId}`,
})

/** One order: why it waits, then each event behind its cause. @param now UTC epoch ms */
export function orderReport(account: OrderAccount, now: number): Report {
  const { orderId, order, events, groups, gaps, lane } = account
  const reasons = whyWaiting(account, now)
  return {
    verdict: order
      ? `${printable(orderId)} is ${order.status}${order.reason ? ` (${order.reason})` : ''}: ${count(events.length, 'event')}, lane ${lane}.`
      : `No service knows ${printable(orderId)}; ${count(events.length, 'event')} on the topics.`,
    parts: [
      reasons.map(({ sentence }) => `  - ${printable(sentence)}`).join('\n'),
      {
        head: ['happened', 'event', 'by', 'place', 'repeats', 'handled by', 'not by'],
        rows: events.map((event) => [
          ...[event.happenedAt ?? '', printable(event.type), printable(event.writer ?? ''), placeOf(event)],
          ...[event.repeats.length, ...handlersOf(event, groups)],
        ]),
      },
      gaps.join('\n'),
    ],
    next: reasons.flatMap(({ command }) => command ?? []).slice(0, 3),
  }
}

const placeOf = ({ place }: OrderEvent): string =>
  place === null ? 'no record' : `${place.topic}/${place.partition} offset ${place.offset}`

function handlersOf({ type, inboxId }: OrderEvent, groups: readonly GroupPart[]): [string, string] {
  const own = groups.filter(({ handles }) => handles.has(type))
  const names = (found: readonly GroupPart[]) => found.map(({ group }) => group).join(', ')
  return [names(own.filter(({ taken }) => taken.has(inboxId))), names(own.filter(({ taken }) => !taken.has(inboxId)))]
}

/** The same for machines. */
export const orderJson = (account: OrderAccount, now: number): object => ({
  ...account,
  waiting: whyWaiting(account, now),
  groups: account.groups.map(({ handles, taken, ...group }) => ({
    ...group,
    handles: [...handles],
    taken: Object.fromEntries(taken),
  })),
})
