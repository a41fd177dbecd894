/** Committed rows of one table by primary key. Rows are immutable. */
export class Table<Row extends object = object> {
  readonly name: string
  readonly committed = new Map<string, Row>()

  constructor(name: string) {
    this.name = name
  }
}

/** Thrown if a row is locked: the statement waits for the end of that transaction and runs again on the committed rows. */
export class Blocked extends Error {
  readonly holder: Transaction

  constructor(holder: Transaction) {
    super('waits for a lock')
    this.holder = holder
  }
}

/** The row locks of a database, shared by all its transactions. */
export type Locks = Map<string, Transaction>

/**
 * A transaction at READ COMMITTED: each statement sees the rows committed when it runs, and the writes of its transaction.
 * Rows that are written or locked for update stay locked until the end.
 */
export class Transaction {
  /** The value of `now()`: when the transaction began, milliseconds of the virtual clock. */
  readonly now: number
  /** Epochs of the lanes it has locked, set by the statements that prove ownership. */
  readonly owned = new Map<number, number>()
  readonly written = new Map<Table, Map<string, object | undefined>>()
  private readonly locks: Locks
  private undo: (() => void)[] = []

  constructor(locks: Locks, now: number) {
    this.locks = locks
    this.now = now
  }

  /** Runs one statement. If it throws, its writes are undone and its locks stay. */
  atomically<T>(run: () => T): T {
    this.undo = []
    try {
      return run()
    } catch (error) {
      for (const undo of this.undo.reverse()) undo()
      throw error
    }
  }

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const own = this.written.get(table)
    return own?.has(key) ? (own.get(key) as Row | undefined) : table.committed.get(key)
  }

  rows<Row extends object>(table: Table<Row>): Row[] {
    const own = this.written.get(table) as Map<string, Row | undefined> | undefined
    if (!own) return [...table.committed.values()]
    return [...new Map([...table.committed, ...own]).values()].filter((row) => row !== undefined)
  }

  lock(table: Table, key: string): void {
    const place = `${table.name} ${key}`
    const holder = this.locks.get(place)
    if (holder && holder !== this) throw new Blocked(holder)
    this.locks.set(place, this)
  }

  put<Row extends object>(table: Table<Row>, key: string, row: Row): void {
    this.write(table, key, row)
  }

  delete(table: Table, key: string): void {
    this.write(table, key, undefined)
  }

  /** @returns false if the key exists */
  insert<Row extends object>(table: Table<Row>, key: string, row: Row): boolean {
    this.lock(table, key)
    if (this.get(table, key)) return false
    this.write(table, key, row)
    return true
  }

  apply(): void {
    for (const [table, rows] of this.written) {
      for (const [key, row] of rows) {
        if (row === undefined) table.committed.delete(key)
        else table.committed.set(key, row)
      }
    }
  }

  release(): void {
    for (const [place, holder] of this.locks) if (holder === this) this.locks.delete(place)
  }

  private write(table: Table, key: string, row: object | undefined): void {
    this.lock(table, key)
    const rows = this.written.get(table) ?? new Map<string, object | undefined>()
    const before = rows.get(key)
    this.undo.push(rows.has(key) ? () => rows.set(key, before) : () => rows.delete(key))
    this.written.set(table, rows.set(key, row))
  }
}
