import type { Evidence } from '../evidence.ts'
import type { FoldEvent } from '../fold.ts'
import type { Ending } from './sound-evidence.ts'
import { endings } from './sound-evidence.ts'

/** An order of each ending, in this order. */
export const everyEnding = Object.keys(endings) as Ending[]
export const [completed, declined, outOfStock, cancelled, timedOut] = everyEnding.map((_, index) => `o-${index}`) as [
  string,
  string,
  string,
  string,
  string,
]

export type Writable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, Writable<V>>
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? { -readonly [K in keyof T]: Writable<T[K]> }
        : T
type Tampering = (evidence: Writable<Evidence>) => void

const another = (type: FoldEvent['type'], data: object) => ({ id: 'another', type, data }) as unknown as FoldEvent
const span = ({ groups }: Writable<Evidence>, place: string) =>
  groups[0]?.account.ledger.get(place)?.[0] as Writable<Span>
type Span = NonNullable<ReturnType<Evidence['groups'][number]['account']['ledger']['get']>>[number]
const row = <V>(table: Map<string, V>, id: string) => table.get(id) as V

/** A fault, the invariants that it violates, and a function that puts it into sound evidence. */
export const falsifications: readonly [string, string[], Tampering][] = [
  [
    'a unit of stock vanished',
    ['stock-conserved', 'tables-equal-fold'],
    ({ tables }) => row(tables.stock, 'tea').onHand--,
  ],
  [
    'a unit is reserved for no order',
    ['stock-conserved', 'tables-equal-fold'],
    ({ tables }) =>
      Object.assign(row(tables.stock, 'tea'), { reserved: 1, onHand: row(tables.stock, 'tea').onHand - 1 }),
  ],
  [
    'a reservation was never released',
    ['stock-conserved', 'tables-equal-fold'],
    ({ tables }) => void (row(tables.reservations, declined).phase = 'reserved'),
  ],
  [
    'an order never ended',
    ['orders-ended', 'tables-equal-fold'],
    ({ history }) => void row(history.fold.orders, declined).counts.delete('PaymentDeclined'),
  ],
  [
    'an authorization was not voided',
    ['event-sets', 'tables-equal-fold'],
    ({ history }) => void row(history.fold.orders, outOfStock).counts.delete('PaymentVoided'),
  ],
  [
    'an order was cancelled without a request',
    ['event-sets', 'tables-equal-fold'],
    ({ history }) => void row(history.fold.orders, cancelled).counts.delete('CancellationRequested'),
  ],
  [
    'an order that timed out keeps its goods',
    ['event-sets', 'tables-equal-fold'],
    ({ history }) => void row(history.fold.orders, timedOut).counts.delete('StockReleased'),
  ],
  [
    'an order that timed out holds money authorized late',
    ['gateway-agrees'],
    ({ journal }) => void (row(journal as Map<string, { voided: boolean }>, 'auth-4').voided = false),
  ],
  [
    'an order timed out twice',
    ['event-sets'],
    ({ history }) => history.fold.take(another('FulfilmentCancelled', { orderId: timedOut, reason: 'timed_out' })),
  ],
  [
    'an order timed out and was delivered',
    ['event-sets', 'tables-equal-fold'],
    ({ history }) => history.fold.take(another('FulfilmentCancelled', { orderId: completed, reason: 'timed_out' })),
  ],
  [
    'money was captured twice',
    ['captured-once', 'event-sets', 'gateway-agrees'],
    ({ history }) =>
      history.fold.take(
        another('PaymentCaptured', {
          orderId: completed,
          captureId: 'capt-x',
          authorizationId: 'auth-0',
          amountMinor: 900,
          currency: 'EUR',
        }),
      ),
  ],
  [
    'the capture is of another amount',
    ['captured-once'],
    ({ history }) =>
      void ((row(history.fold.orders, completed).captured[0] as { amountMinor: number }).amountMinor = 899),
  ],
  [
    'the gateway captured twice',
    ['gateway-agrees'],
    ({ journal }) => void journal?.get('auth-0')?.captureIds.push('capt-x'),
  ],
  ['the gateway never captured', ['gateway-agrees'], ({ journal }) => void journal?.get('auth-0')?.captureIds.pop()],
  [
    'the gateway holds money without an event',
    ['gateway-agrees'],
    ({ journal }) =>
      void journal?.set('auth-x', {
        orderId: declined,
        amountMinor: 1,
        currency: 'EUR',
        voided: false,
        captureIds: [],
      }),
  ],
  [
    'the gateway has no record of a void',
    ['gateway-agrees'],
    ({ journal }) => void (row(journal as Map<string, { voided: boolean }>, 'auth-2').voided = false),
  ],
  [
    'an accepted order has no event',
    ['orders-accepted'],
    ({ tables }) => void tables.accepted.push({ orderId: 'lost', eventId: 'e', totalMinor: 1, currency: 'EUR' }),
  ],
  ['an order of the API is not in its table', ['orders-accepted'], ({ tables }) => void tables.accepted.pop()],
  [
    'an accepted order has another total',
    ['orders-accepted'],
    ({ tables }) => void ((tables.accepted[0] as { totalMinor: number }).totalMinor = 1),
  ],
  [
    'an accepted order was placed twice',
    ['orders-accepted'],
    ({ history }) =>
      history.fold.take(another('OrderPlaced', { orderId: completed, totalMinor: 900, currency: 'EUR' })),
  ],
  ['an order was answered with 201 and lost', ['orders-accepted'], ({ tables }) => void tables.forgotten.push('lost')],
  [
    'an id is in the inbox twice',
    ['taken-once'],
    ({ groups }) => void (groups[0] && groups[0].account.inbox.distinct--),
  ],
  [
    'an id is missing in the inbox',
    ['taken-once'],
    ({ groups }) => void Object.assign(groups[0]?.account.inbox ?? {}, { rows: 1, distinct: 1 }),
  ],
  [
    'an event was processed twice',
    ['taken-once'],
    (evidence) =>
      void Object.assign(span(evidence, 'payments/0'), {
        taken: span(evidence, 'payments/0').taken + 1,
        ignored: -1,
      }),
  ],
  [
    'an event was skipped',
    ['taken-once'],
    (evidence) =>
      void Object.assign(span(evidence, 'payments/0'), { taken: span(evidence, 'payments/0').taken - 1, ignored: 1 }),
  ],
  [
    'a parked event left without a trace',
    ['parked-accounted'],
    (evidence) =>
      void Object.assign(span(evidence, 'payments/0'), { taken: span(evidence, 'payments/0').taken - 1, parked: 1 }),
  ],
  [
    'more parked events were handled than were parked',
    ['parked-accounted'],
    ({ groups }) => void groups[0]?.account.audit.push({ action: 'HANDLED', source: 'record', events: 1 }),
  ],
  [
    'a span is missing',
    ['offsets-tiled', 'taken-once'],
    ({ groups }) => void groups[0]?.account.ledger.delete('payments/0'),
  ],
  ['a group has not read to the end', ['offsets-tiled'], ({ history }) => void row(history.ranges, 'orders')[0]!.end++],
  [
    'an event was never published',
    ['outbox-published'],
    ({ history }) => void row(history.publications.lanes, 'payment/0').eventIds.delete(2),
  ],
  [
    'an event was published that is from no outbox',
    ['outbox-published'],
    ({ history }) => void history.publications.lanes.get('payment/0')?.eventIds.set(999, 'phantom'),
  ],
  ['an event was published by a lane that no service has', ['outbox-published'], ({ outboxes }) => void outboxes.pop()],
  [
    'a status row is wrong',
    ['tables-equal-fold'],
    ({ tables }) => void (row(tables.statuses, completed).status = 'shipping'),
  ],
  ['a status row is missing', ['tables-equal-fold'], ({ tables }) => void tables.statuses.delete(completed)],
  [
    'a payment row is wrong',
    ['tables-equal-fold'],
    ({ tables }) => void (row(tables.payments, declined).phase = 'captured'),
  ],
  [
    'a shipment row is wrong',
    ['tables-equal-fold'],
    ({ tables }) => void (row(tables.shipments, completed).phase = 'cancelled'),
  ],
  [
    'a service has an order that is on no topic',
    ['tables-equal-fold'],
    ({ tables }) => void tables.shipments.set('lost', { phase: 'gathering' }),
  ],
  [
    'the beginning of a topic was deleted',
    ['topics-whole'],
    ({ history }) => void (row(history.ranges, 'orders')[0]!.low = 1),
  ],
]
