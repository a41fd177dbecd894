import { rolledBack } from '../../infra/postgres/transaction.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { ConsumerDefinition } from '../runtime/handler.ts'
import type { Ownership } from '../runtime/model.ts'
import { lockLaneAsOperator } from '../../producers/outbox/lane-table.ts'
import { recordChanges } from './record-changes.ts'
import type { RowChange } from './record-changes.ts'
import { writtenRows, writtenSince } from './written-rows.ts'
import type { TableChange } from './written-rows.ts'

/** The rows that a dry run would change. */
export interface WouldChange {
  /** The consumer's own rows of the keys concerned. */
  readonly states: readonly RowChange[]
  /** Rows shared with other keys, such as stock. */
  readonly shared: readonly RowChange[]
  /** Rows of every table of the group that would be written. */
  readonly tables: readonly TableChange[]
}

export interface DryRunOptions<State, Row, Item, Result> {
  /** Connections that see the group's tables. */
  readonly pool: Pool
  readonly definition: ConsumerDefinition<State, Row>
  readonly lane: number
  readonly items: readonly Item[]
  /**
   * Applies the items as the real operation does.
   * @param definition the consumer's, with its changes recorded
   * @returns the result, and the items that the database refused, whose writes must not be counted
   */
  apply(
    tx: Tx,
    own: Ownership,
    definition: ConsumerDefinition<State, Row>,
    items: readonly Item[],
  ): Promise<{ readonly result: Result; readonly refused: readonly Item[] }>
}

/**
 * Applies items to one lane with the current code, schemas and rows, in a transaction that is rolled back. Publishes no
 * events and makes no calls. The lane's owner waits meanwhile, for seconds at most.
 * @returns the result of all items, and the changes of those the database did not refuse (with their result as
 * `applied`)
 * @throws errors of pg, 55P03 if the lane's lock is not free within two seconds
 */
export async function dryRun<State, Row, Item, Result>(
  options: DryRunOptions<State, Row, Item, Result>,
): Promise<WouldChange & { readonly result: Result; readonly applied: Result }> {
  const whole = await attempt(options, options.items)
  if (whole.refused.length === 0) return { ...whole, applied: whole.result }
  // The server counts the rows that refused items wrote, although they were rolled back: run once more without those
  // items
  const refused = new Set(whole.refused)
  const rest = await attempt(
    options,
    options.items.filter((item) => !refused.has(item)),
  )
  return { ...rest, result: whole.result, applied: rest.result }
}

const attempt = <State, Row, Item, Result>(
  { pool, definition, lane, apply }: DryRunOptions<State, Row, Item, Result>,
  items: readonly Item[],
) =>
  rolledBack(pool, async (tx) => {
    await tx.query(
      `set local lock_timeout = '2s'; set local statement_timeout = '5s'; set local idle_in_transaction_session_timeout = '2s'`,
    )
    const own = { lane, epoch: await lockLaneAsOperator(tx, lane) }
    const recorder = recordChanges(definition)
    const before = await writtenRows(tx)
    const applied = await apply(tx, own, recorder.definition, items)
    return {
      ...applied,
      states: recorder.states(),
      shared: recorder.shared(),
      tables: writtenSince(before, await writtenRows(tx)),
    }
  })
