import { newEventId } from '../../../schemas/event-id.ts'
import type { OrderPlaced } from '../../../schemas/generated/events.ts'
import type { ConsumerDefinition } from '../handler.ts'
import { defineConsumer } from '../handler.ts'

/** State of one order in the test consumer: how often each kind of input occurred. */
export interface Count {
  placed: number
  answered: number
  fired: number
}

export const countTable = `create table count (
  key text primary key, placed integer not null check (placed >= 0), answered integer not null, fired integer not null)`

export interface Ask {
  (request: { orderId: string }, idempotencyKey: string): Promise<object>
}

/**
 * A minimal consumer with every feature. The customer's id selects what it does with an OrderPlaced: `throws`, `refused` (by
 * the database), `asks` (a call), `waits` (a timer); any other id just counts. Each order emits one event.
 */
export const tallyConsumer = (group: string, ask: Ask = () => Promise.resolve({})): ConsumerDefinition<Count> =>
  defineConsumer<Count>({
    group,
    state: {
      initial: () => ({ placed: 0, answered: 0, fired: 0 }),
      async load(tx, keys) {
        const { rows } = await tx.query<Count & { key: string }>('select * from count where key = any($1)', [keys])
        return new Map(rows.map(({ key, ...count }) => [key, count]))
      },
      async save(tx, states) {
        const column = (of: keyof Count) => [...states.values()].map((state) => state[of])
        await tx.query(
          `insert into count select * from unnest($1::text[], $2::int[], $3::int[], $4::int[])
           on conflict (key) do update set placed = excluded.placed, answered = excluded.answered, fired = excluded.fired`,
          [[...states.keys()], column('placed'), column('answered'), column('fired')],
        )
      },
    },
    handlers: {
      OrderPlaced: ({ customerId, orderId }, state, { time }) => {
        if (customerId === 'throws') throw new Error('this order cannot be handled')
        const placed = customerId === 'refused' ? -1 : state.placed + 1
        return {
          state: { ...state, placed },
          events: [{ type: 'StockReserved', data: { orderId, lines: [{ sku: 'A', quantity: 1 }], reservedAt: time } }],
          calls: customerId === 'asks' ? [{ kind: 'ask', request: { orderId } }] : [],
          timers: customerId === 'waits' ? [{ kind: 'remind', afterMs: 0 }] : [],
        }
      },
    },
    calls: {
      ask: {
        make: (request: { orderId: string }, { idempotencyKey }) => ask(request, idempotencyKey),
        handle: (_answer, state, { key, time }) => ({
          state: { ...state, answered: state.answered + 1 },
          events: [
            { type: 'StockReleased', data: { orderId: key, lines: [{ sku: 'A', quantity: 1 }], releasedAt: time } },
          ],
        }),
      },
    },
    timers: { remind: (_timer, state) => ({ state: { ...state, fired: state.fired + 1 } }) },
  })

export const orderPlaced = (orderId: string, customerId = 'counts'): { type: 'OrderPlaced'; data: OrderPlaced } => ({
  type: 'OrderPlaced',
  data: {
    orderId,
    customerId,
    currency: 'EUR',
    lines: [{ sku: 'A', quantity: 1, unitPriceMinor: 100, amountMinor: 100 }],
    totalMinor: 100,
    shipTo: { recipient: 'R', street: 'S 1', city: 'C', postalCode: '1', country: 'DE' },
    placedAt: Date.now(),
  },
})

/** Orders under new ids. */
export const orders = (count: number, customerId?: string) =>
  Array.from({ length: count }, () => orderPlaced(newEventId(), customerId))
