import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { OpenGroup } from '../parked/parked-groups.ts'
import { blankAudited, blankParked, findClearEvents } from './clear-events.ts'
import { blankOrders, countClearOrders } from './clear-orders.ts'
import { findOrderTables, readOpenOrders, readOrderIds } from './customer-orders.ts'
import type { OrderTables } from './customer-orders.ts'
import { endForgetting, eraseKeys, lockKeys, noteForgetting, readForgettings } from './forgetting-table.ts'

/** What is known of a customer, or what was done to forget them. */
export interface ForgetFigures {
  readonly customerId: string
  readonly orders: number
  /** Live keys: 1, or 0 if there is nothing to erase. */
  readonly keys: number
  /** Orders that have not ended: while there are any, the customer cannot be forgotten. */
  readonly open: readonly string[]
  /** Clear text from before there were keys. */
  readonly clear: { readonly orders: number; readonly parked: number; readonly audited: number }
  /** Parked events of these orders that cannot be read: they may hold anything. */
  readonly unreadable: number
  /** Until when Kafka keeps events with clear text; null if there are none. */
  readonly clearInKafkaUntil: Date | null
}

export interface ForgetWork {
  readonly config: Config
  /** A connection without a search path. */
  readonly pool: Pool
  readonly groups: readonly OpenGroup[]
  readonly codec: Codec
  readonly signal: AbortSignal
}

/** Orders per statement. */
const slice = 500

/** Counts what forgetting a customer would touch. Changes nothing. */
export async function planForgetting(work: ForgetWork, customerId: string): Promise<ForgetFigures> {
  const { pool, config } = work
  const tables = await findOrderTables(pool, config)
  const { rows } = await pool.query<{ id: number }>(
    `select id from ${tables.orders}.customer_key where customer_id = $1 and key is not null`,
    [customerId],
  )
  const ids = rows.map(({ id }) => id)
  const open = await readOpenOrders(pool, tables, customerId, ids)
  return { customerId, keys: ids.length, open, ...(await countClear(work, tables, customerId)) }
}

/** That a customer is forgotten: the figures of what was found, and the row of the audit. */
export interface Forgotten {
  readonly figures: ForgetFigures
  /** Undefined if there was nothing to forget. */
  readonly id: number | undefined
  /** An earlier run had begun it. */
  readonly resumed: boolean
  /** Parked events that cannot be read are left: it is not complete. */
  readonly complete: boolean
}

/**
 * Makes the personal data of a customer unreadable wherever it lies. The keys are erased in one transaction, in which no
 * order of the customer is open and none can be written; from then on nothing that was sealed can be read. What was
 * stored before there were keys is emptied after that, in slices. A run that was killed is resumed by the next one.
 * @throws TallyError PRECONDITION_FAILED while the customer has open orders
 */
export async function forgetCustomer(
  work: ForgetWork,
  by: { customerId: string; actor: string; why: string },
): Promise<Forgotten> {
  const { pool, config } = work
  const { customerId } = by
  const figures = await planForgetting(work, customerId)
  const tables = await findOrderTables(pool, config)
  const begun = await inTransaction(pool, async (tx) => {
    const keys = await lockKeys(tx, tables.orders, customerId)
    refuseOpen(customerId, await readOpenOrders(tx, tables, customerId, keys))
    const unfinished = (await readForgettings(tx, tables.orders, customerId)).find(({ endedAt }) => endedAt === null)
    const { orders, parked, audited } = figures.clear
    if (keys.length + orders + parked + audited + figures.unreadable === 0 && !unfinished) return undefined
    await eraseKeys(tx, tables.orders, keys)
    return { id: unfinished?.id ?? (await noteForgetting(tx, tables.orders, by)), resumed: unfinished !== undefined }
  })
  if (!begun) return { figures, id: undefined, resumed: false, complete: true }
  const unreadable = await blankEverything(work, tables, by)
  if (unreadable === 0) {
    const { customerId: _, open: __, ...counts } = figures
    await endForgetting(pool, tables.orders, begun.id, counts)
  }
  return { figures, ...begun, complete: unreadable === 0 }
}

function refuseOpen(customerId: string, open: readonly string[]): void {
  if (open.length === 0) return
  const [first] = open
  const orders = open.length === 1 ? `order ${first}, which has` : `${open.length} orders (such as ${first}) that have`
  throw new TallyError(
    'PRECONDITION_FAILED',
    `Customer ${customerId} has ${orders} not ended and still needs the address: wait until it has, or cancel it first`,
  )
}

async function countClear(
  { pool, groups, codec }: ForgetWork,
  tables: OrderTables,
  customerId: string,
): Promise<Omit<ForgetFigures, 'customerId' | 'keys' | 'open'>> {
  const ids = await readOrderIds(pool, tables, customerId)
  const { orders, inKafkaUntil } = await countClearOrders(pool, tables, ids)
  const found = await Promise.all(
    groups.flatMap((group) => slicesOf(ids).map((keys) => findClearEvents(group, keys, codec))),
  )
  const sum = (count: (each: (typeof found)[number]) => number) => found.reduce((total, each) => total + count(each), 0)
  return {
    orders: ids.length,
    clear: { orders, parked: sum(({ parked }) => parked.length), audited: sum(({ audited }) => audited.length) },
    unreadable: sum(({ unreadable }) => unreadable),
    clearInKafkaUntil: inKafkaUntil,
  }
}

/** @returns parked events that cannot be read */
async function blankEverything(
  { config, pool, groups, codec, signal }: ForgetWork,
  tables: OrderTables,
  by: { customerId: string; actor: string; why: string },
): Promise<number> {
  const { partitions } = await currentConfig(config, pool)
  let left = 0
  for (const keys of slicesOf(await readOrderIds(pool, tables, by.customerId))) {
    signal.throwIfAborted()
    await blankOrders(pool, tables, keys)
    for (const group of groups) {
      const { parked, unreadable } = await findClearEvents(group, keys, codec)
      await blankParked(group, parked, by, { codec, partitions })
      await blankAudited(group.pool, await findClearEvents(group, keys, codec))
      left += unreadable
    }
  }
  return left
}

const slicesOf = (ids: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(ids.length / slice) }, (_, index) => ids.slice(index * slice, (index + 1) * slice))
