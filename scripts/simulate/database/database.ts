import type { Party, VirtualClock } from '../time/virtual-clock.ts'
import { unnamedStatement } from './inbox-statements.ts'
import { Session } from './session.ts'
import type { Statements } from './statement.ts'
import { fingerprintOf } from './statement.ts'
import type { Tables } from './tables.ts'
import type { Locks } from './transaction.ts'
import { Transaction } from './transaction.ts'

export interface DatabaseOptions {
  clock: VirtualClock
  party: Party
  tables: Tables
  statements: Statements
  /** Called with each transaction just before it is committed. */
  committing(transaction: Transaction): void
  /** Reports a defect of the simulation: a statement that is unknown or has changed. */
  defect(what: string): void
}

interface Waiting {
  readonly holder: Transaction
  readonly go: () => void
}

/** The part of PostgreSQL that the runtime's statements need. `Transaction` and `Session` document the behaviour. */
export class Database {
  readonly clock: VirtualClock
  readonly party: Party
  readonly tables: Tables
  private readonly options: DatabaseOptions
  private readonly locks: Locks = new Map()
  private readonly sessions = new Set<Session>()
  private waiting: Waiting[] = []

  constructor(options: DatabaseOptions) {
    this.options = options
    this.clock = options.clock
    this.party = options.party
    this.tables = options.tables
  }

  connect(): Session {
    const session = new Session(this)
    this.sessions.add(session)
    return session
  }

  /** Breaks every connection, as an immediate shutdown of the server does. */
  crash(): void {
    for (const session of this.sessions) session.end()
    this.sessions.clear()
  }

  begin(): Transaction {
    return new Transaction(this.locks, this.clock.now)
  }

  commit(transaction: Transaction): void {
    if (transaction.written.size > 0) this.options.committing(transaction)
    transaction.apply()
  }

  /** Releases its locks. Waiting statements resume in order of arrival. */
  release(transaction: Transaction): void {
    transaction.release()
    const free = this.waiting.filter(({ holder }) => holder === transaction)
    this.waiting = this.waiting.filter(({ holder }) => holder !== transaction)
    for (const { go } of free) this.clock.after(0, go, this.party)
  }

  wait(holder: Transaction, go: () => void, until: number, gaveUp: () => void): void {
    const entry = { holder, go: () => ((timeout.cancelled = true), go()) }
    const timeout = this.clock.after(
      until - this.clock.now,
      () => {
        this.waiting = this.waiting.filter((other) => other !== entry)
        gaveUp()
      },
      this.party,
    )
    this.waiting.push(entry)
  }

  /** @throws Blocked if a row is locked; errors of the database */
  run(transaction: Transaction, text: string, name: string | undefined, values: readonly unknown[]): object[] {
    if (name === undefined) return this.orDefect(unnamedStatement(text, this.clock.now), text)
    const statement = this.orDefect(this.options.statements[name], name)
    const fingerprint = fingerprintOf(text)
    if (fingerprint !== statement.fingerprint) this.options.defect(`${name} has changed (now ${fingerprint})`)
    return statement.run(transaction, values)
  }

  private orDefect<T>(found: T | undefined, what: string): T {
    if (found !== undefined) return found
    this.options.defect(`${what} is not known`)
    throw new Error(what)
  }
}
