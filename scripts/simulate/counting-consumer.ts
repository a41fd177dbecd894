import { prepared } from '../../infra/postgres/transaction.ts'
import type { ConsumerDefinition, Context, Decision } from '../../consumers/runtime/handler.ts'
import { defineConsumer } from '../../consumers/runtime/handler.ts'
import type { HistoryRow, TotalRow } from './database/counting-statements.ts'
import type { Gateway } from './gateway.ts'

/** What an order asks for; travels as its customer's id. */
export type Wish = 'counts' | 'calls' | 'waits' | 'throws' | 'refused' | 'unreadable'

/** How long an order that waits does so, by the time of its event. */
export const waitingMs = 1_500

const load = prepared<HistoryRow>('history_load', 'select key, history from history where key = any($1)')
const save = prepared('history_save', 'insert into history select * from unnest($1, $2) on conflict (key) do update …')
const lockTotals = prepared<TotalRow>(
  'total_lock',
  'select id, total from total where id = any($1) order by id for update',
)
const saveTotals = prepared('total_save', 'insert into total select * from unnest($1, $2) on conflict (id) do update …')

type History = readonly string[]
type Total = number

/** One row all lanes change; read and written only when an order is placed. */
const everything = 'everything'

/**
 * The consumer of the simulation: writes down, per key, everything that takes effect, in order. Each order placed counts in a
 * shared row and is announced by an event that this consumer reads itself; some orders make a call or set a timer.
 * @param broken whether orders that throw still do
 */
export const countingConsumer = (gateway: Gateway, broken: () => boolean): ConsumerDefinition<History, Total> =>
  defineConsumer<History, Total>({
    group: 'simulation',
    state: {
      initial: () => [],
      load: async (tx, keys) => new Map((await load(tx, keys)).map(({ key, history }) => [key, history])),
      save: async (tx, states) => {
        await save(
          tx,
          [...states.keys()],
          [...states.values()].map((history) => JSON.stringify(history)),
        )
      },
    },
    shared: {
      ids: (type) => (type === 'OrderPlaced' ? [everything] : []),
      lock: async (tx, ids) => new Map((await lockTotals(tx, ids)).map(({ id, total }) => [id, total])),
      save: async (tx, rows) => {
        await saveTotals(tx, [...rows.keys()], [...rows.values()])
      },
    },
    handlers: {
      OrderPlaced: ({ orderId, customerId }, history, { eventId, time }, totals) => {
        const wish = customerId as Wish
        if (wish === 'throws' && broken()) throw new Error('this order cannot be handled yet')
        return {
          state: [...history, `placed ${wish} ${eventId}`],
          shared: new Map([[everything, (totals.get(everything) ?? 0) + 1]]),
          events: [{ type: 'StockReserved', data: { orderId, lines: [], reservedAt: time } }],
          calls: wish === 'calls' ? [{ kind: 'ask', request: { orderId } }] : [],
          timers: wish === 'waits' ? [{ kind: 'remind', afterMs: waitingMs }] : [],
        }
      },
      StockReserved: (_event, history, context) => noted(history, 'reserved', context),
    },
    calls: {
      ask: {
        make: ({ orderId }: { orderId: string }, { idempotencyKey, signal }) =>
          gateway.ask(orderId, idempotencyKey, signal),
        handle: ({ number }: { number: number }, history, context) => ({
          ...noted(history, `answered ${number}`, context),
          events: [{ type: 'StockReleased', data: { orderId: context.key, lines: [], releasedAt: context.time } }],
        }),
      },
    },
    timers: { remind: (_timer, history, context) => noted(history, 'reminded', context) },
  })

const noted = (history: History, what: string, { eventId }: Context): Decision<History, Total> => ({
  state: [...history, `${what} ${eventId}`],
})
