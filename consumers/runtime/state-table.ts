import type { Tx } from '../../infra/postgres/transaction.ts'

/** The rows of a consumer that belong to one key each, read and written for a whole batch at once. */
export interface StateTable<State> {
  /** State of a key that has no row yet. */
  initial(key: string): State
  /** Rows of those keys that have one; one statement. */
  load(tx: Tx, keys: readonly string[]): Promise<Map<string, State>>
  /** Writes the rows of all keys given; a fixed number of statements. */
  save(tx: Tx, states: ReadonlyMap<string, State>): Promise<void>
}

/** Rows several lanes change, such as stock per article. */
export interface SharedTable<Row, State> {
  /**
   * Ids of the rows an input may read or change. `state` is the key's state before the batch: what earlier inputs of the
   * same batch add to it, they have named themselves.
   * @param type event type, or kind of the answer or timer
   */
  ids(type: string, data: object, state: State): readonly string[]
  /** Locks and reads those rows in id order (`order by id for update`); rows that do not exist are left out. */
  lock(tx: Tx, ids: readonly string[]): Promise<Map<string, Row>>
  /** Writes the rows given, new ones included; one statement. */
  save(tx: Tx, rows: ReadonlyMap<string, Row>): Promise<void>
}
