import type { EventType } from '../../../schemas/generated/events.ts'
import { topicOf, topics } from '../../../schemas/topics.ts'
import type { GroupAccount } from '../../../consumers/operations/group-account.ts'
import { createLosses } from '../acts/losses.ts'
import type { Evidence } from '../evidence.ts'
import type { FoldEvent } from '../fold.ts'
import { createFold } from '../fold.ts'
import type { JournalHold } from '../gateway-journal.ts'
import { createPublications } from '../publications.ts'
import type { OutboxLane } from '../../../producers/outbox/outbox-backlog.ts'
import type { ServiceTables, StockRow } from '../service-tables.ts'
import type { TypeCount } from '../topic-history.ts'

/** The ways in which an order may end, with the rows each service then has. Every order has one line: two units of tea. */
export const endings = {
  completed: {
    events: ['OrderPlaced', 'PaymentAuthorized', 'StockReserved', 'ShipmentScheduled', 'PaymentCaptured'],
    rows: ['completed', 'captured', 'shipped', 'scheduled'],
  },
  declined: {
    events: ['OrderPlaced', 'PaymentDeclined', 'StockReserved', 'StockReleased'],
    rows: ['rejected', 'declined', 'released', 'rejected'],
  },
  outOfStock: {
    events: ['OrderPlaced', 'StockRejected', 'PaymentAuthorized', 'PaymentVoided'],
    rows: ['rejected', 'voided', 'rejected', 'rejected'],
  },
  cancelled: {
    events: ['OrderPlaced', 'CancellationRequested', 'FulfilmentCancelled'],
    rows: ['cancelled', 'closed', 'closed', 'cancelled'],
    reason: 'requested',
  },
  timedOut: {
    events: [
      'OrderPlaced',
      'StockReserved',
      'FulfilmentCancelled',
      'StockReleased',
      'PaymentAuthorized',
      'PaymentVoided',
    ],
    rows: ['cancelled', 'voided', 'released', 'cancelled'],
    reason: 'timed_out',
  },
} as const satisfies Record<
  string,
  { events: readonly EventType[]; rows: readonly [string, string, string, string]; reason?: string }
>

export type Ending = keyof typeof endings

const quantity = 2
const totalMinor = 900
const writers: Record<string, string> = {
  orders: 'orders-api',
  payments: 'payment',
  inventory: 'inventory',
  shipping: 'shipping',
}

/** Consistent accounts of a pipeline with one partition and one consumer of all events, whose orders ended like this. */
export function soundEvidence(ends: readonly Ending[]): Evidence {
  const fold = createFold()
  const publications = createPublications()
  const handles = new Set<EventType>()
  const types = new Map<string, TypeCount>()
  const sizes = new Map<string, number>(topics.map(({ name }) => [name, 0]))
  const nextSeqs = new Map(Object.values(writers).map((writer) => [writer, 1]))

  const publish = (type: EventType, eventId: string, data: object) => {
    const topic = topicOf(type).name
    const writer = writers[topic]
    fold.take({ id: eventId, source: writer && `/tally/${writer}`, type, data } as FoldEvent)
    sizes.set(topic, (sizes.get(topic) ?? 0) + 1)
    handles.add(type)
    const place = `${topic}/${type}`
    types.set(place, { events: (types.get(place)?.events ?? 0) + 1, repeats: 0 })
    if (!writer) return
    const sequence = nextSeqs.get(writer) ?? 1
    nextSeqs.set(writer, sequence + 1)
    publications.take({ lane: `${writer}/0`, sequence, eventId, place: `${topic}/0` })
  }

  const units = ends.length * quantity
  publish('StockReplenished', 'delivery', { sku: 'tea', quantity: units })
  ends.forEach((ending, index) => {
    const orderId = `o-${index}`
    const lines = [{ sku: 'tea', quantity }]
    const money = {
      amountMinor: totalMinor,
      currency: 'EUR',
      authorizationId: `auth-${index}`,
      captureId: `capt-${index}`,
    }
    const { events, ...rest } = endings[ending]
    const reason = 'reason' in rest ? rest.reason : undefined
    for (const type of events) publish(type, `${orderId}-${type}`, { orderId, lines, totalMinor, reason, ...money })
  })
  return {
    history: {
      ranges: new Map([...sizes].map(([topic, end]) => [topic, [{ low: 0, end }]])),
      begun: new Map([...sizes.keys()].map((topic) => [`${topic}/0`, 0])),
      records: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      fold,
      publications,
      types,
      newer: new Map(),
      untyped: new Map(),
      unusable: [],
    },
    journal: journalOf(ends),
    outboxes: [...nextSeqs].map(([name, nextSeq]) => ({
      writer: { name, schema: name },
      lanes: new Map<number, OutboxLane>([[0, { nextSeq, waiting: new Map() }]]),
    })),
    groups: [
      {
        group: { name: 'all', schema: 'all', handles, begins: 'first', topics: new Set(sizes.keys()) },
        account: accountOf(sizes),
      },
    ],
    causeOf: () => undefined,
    losses: createLosses([], { ranges: new Map(), begun: new Map(), fold }),
    undeployed: new Set(),
    tables: tablesOf(ends, units),
  }
}

const journalOf = (ends: readonly Ending[]): Map<string, JournalHold> =>
  new Map(
    ends.flatMap((ending, index): [string, JournalHold][] => {
      const [, money] = endings[ending].rows
      if (money !== 'captured' && money !== 'voided') return []
      const captureIds = money === 'captured' ? [`capt-${index}`] : []
      const hold = {
        orderId: `o-${index}`,
        amountMinor: totalMinor,
        currency: 'EUR',
        voided: money === 'voided',
        captureIds,
      }
      return [[`auth-${index}`, hold]]
    }),
  )

function accountOf(sizes: ReadonlyMap<string, number>): GroupAccount {
  const span = (next: number) => ({
    epoch: 1,
    first: 0,
    next,
    taken: next,
    duplicates: 0,
    ignored: 0,
    parked: 0,
    holes: 0,
    replay: null,
  })
  const rows = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  return {
    ledger: new Map([...sizes].map(([topic, size]) => [`${topic}/0`, [span(size)]])),
    inbox: { rows, distinct: rows },
    parked: [],
    audit: [],
    dropped: [],
    decisions: [],
    skipped: [],
    beginnings: new Map(),
  }
}

function tablesOf(ends: readonly Ending[], units: number): ServiceTables {
  const rowsOf = <Row>(row: (ending: Ending) => Row) =>
    new Map(ends.map((ending, index) => [`o-${index}`, row(ending)]))
  const shipped = ends.filter((ending) => endings[ending].rows[2] === 'shipped').length * quantity
  const stock: StockRow = { onHand: units - shipped, reserved: 0, shipped }
  return {
    accepted: ends.map((_, index) => ({
      orderId: `o-${index}`,
      eventId: `o-${index}-OrderPlaced`,
      totalMinor,
      currency: 'EUR',
    })),
    forgotten: [],
    messages: ends.map((_, index) => ({ source: 'rabbitmq:orders', id: `m-${index}`, orderId: `o-${index}` })),
    retired: 0,
    statuses: rowsOf((ending) => ({ status: endings[ending].rows[0], totalMinor, seen: [...endings[ending].events] })),
    payments: rowsOf((ending) => ({ phase: endings[ending].rows[1], amountMinor: totalMinor })),
    reservations: rowsOf((ending) => {
      const phase: string = endings[ending].rows[2]
      return { phase, lines: phase === 'shipped' || phase === 'released' ? [{ sku: 'tea', quantity }] : [] }
    }),
    shipments: rowsOf((ending) => ({ phase: endings[ending].rows[3] })),
    stock: new Map([['tea', stock]]),
    timeLimits: new Map(),
  }
}
