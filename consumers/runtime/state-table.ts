import type { Tx } from '../../infra/postgres/transaction.ts'

/** Rows of a consumer, one per key; read and written for a whole batch at once. */
export interface StateTable<State> {
  /** State of a key that has no row yet. */
  initial(key: string): State
  /** Loads the rows of the keys that have one, in one statement. */
  load(tx: Tx, keys: readonly string[]): Promise<Map<string, State>>
  /** Inserts or updates the given rows in a fixed number of statements. */
  save(tx: Tx, states: ReadonlyMap<string, State>): Promise<void>
  /** Lets rows of keys that have ended leave after some days (`TALLY_KEEP_ORDERS_DAYS`). @default they stay */
  readonly retention?: Retention
}

/** How rows of keys that have ended leave. Age is by the database's clock since the last change of the row. */
export interface Retention {
  readonly table: string
  /** Keys of the table's blocks `[from, to)` (by `ctid`) that ended and did not change for so many days. */
  find(tx: Tx, blocks: { readonly from: string; readonly to: string }, days: number): Promise<string[]>
  /** Deletes those of them of which that is still true, under the lock of their lane. @returns how many keys */
  remove(tx: Tx, keys: readonly string[], days: number): Promise<number>
}

/** Rows that several lanes change, such as the stock of an article. */
export interface SharedTable<Row, State> {
  /**
   * Ids of the rows an input may read or change. `state` is the key's state before the transaction. Rows that earlier
   * inputs of the transaction add to the state are already among the ids returned for those inputs.
   * @param type event type, or kind of the answer or timer
   */
  ids(type: string, data: object, state: State): readonly string[]
  /** Locks and reads the rows in id order (`order by id for update`); missing rows are left out. */
  lock(tx: Tx, ids: readonly string[]): Promise<Map<string, Row>>
  /** Inserts or updates the given rows in one statement. */
  save(tx: Tx, rows: ReadonlyMap<string, Row>): Promise<void>
}
