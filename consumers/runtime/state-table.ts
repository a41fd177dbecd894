import type { Tx } from '../../infra/postgres/transaction.ts'

/** Rows of a consumer that belong to one key each; read and written for a whole batch at once. */
export interface StateTable<State> {
  /** State of a key that has no row yet. */
  initial(key: string): State
  /** Loads the rows of the keys that have one, in one statement. */
  load(tx: Tx, keys: readonly string[]): Promise<Map<string, State>>
  /** Inserts or updates the given rows in a fixed number of statements. */
  save(tx: Tx, states: ReadonlyMap<string, State>): Promise<void>
}

/** Rows several lanes change, such as stock per article. */
export interface SharedTable<Row, State> {
  /**
   * Ids of the rows an input may read or change. `state` is the key's state before the batch: rows that earlier inputs of the
   * batch add to it are among the ids of those inputs.
   * @param type event type, or kind of the answer or timer
   */
  ids(type: string, data: object, state: State): readonly string[]
  /** Locks and reads the rows in id order (`order by id for update`); missing rows are left out. */
  lock(tx: Tx, ids: readonly string[]): Promise<Map<string, Row>>
  /** Inserts or updates the given rows in one statement. */
  save(tx: Tx, rows: ReadonlyMap<string, Row>): Promise<void>
}
