import { prepared } from '../../infra/postgres/transaction.ts'
import type { ConsumerDefinition, Context, Decision } from '../../consumers/runtime/handler.ts'
import { defineConsumer } from '../../consumers/runtime/handler.ts'
import type { HistoryRow, TotalRow } from './database/counting-statements.ts'
import type { Gateway } from './gateway.ts'

/** What an order makes the consumer do. Its customer id holds the kind. */
export type OrderKind = 'counts' | 'calls' | 'waits' | 'throws' | 'refused' | 'unreadable'

/** Delay of the timer of a `waits` order, milliseconds. */
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

/** The id of a row that all lanes change, locked only for placed orders. */
const everything = 'everything'

/**
 * The consumer of the simulation. It records, per key and in order, everything that takes effect. Each placed order increments
 * a shared row and emits an event that this consumer reads itself; some orders make a call or set a timer.
 * @param broken whether the handler of `throws` orders still fails
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
        const kind = customerId as OrderKind
        if (kind === 'throws' && broken()) throw new Error('this order cannot be handled yet')
        return {
          state: [...history, `placed ${kind} ${eventId}`],
          shared: new Map([[everything, (totals.get(everything) ?? 0) + 1]]),
          events: [{ type: 'StockReserved', data: { orderId, lines: [], reservedAt: time } }],
          calls: kind === 'calls' ? [{ kind: 'ask', request: { orderId } }] : [],
          timers: kind === 'waits' ? [{ kind: 'remind', afterMs: waitingMs }] : [],
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
