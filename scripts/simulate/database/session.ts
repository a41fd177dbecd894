import type { Party, Scheduled, VirtualClock } from '../time/virtual-clock.ts'
import { databaseError } from './statement.ts'
import type { Transaction } from './transaction.ts'
import { Blocked } from './transaction.ts'

/** `idle_in_transaction_session_timeout` and `lock_timeout` of every connection (infra/postgres.ts). */
const idleLimitMs = 2_000
const lockLimitMs = 5_000

export interface Answer {
  rows: object[]
  /** The outcome of a commit. */
  command?: 'COMMIT' | 'ROLLBACK'
  error?: Error
}

/** What a backend needs of its server; `Database` in database.ts is one. */
export interface Server {
  readonly clock: VirtualClock
  readonly party: Party
  begin(): Transaction
  commit(transaction: Transaction): void
  release(transaction: Transaction): void
  wait(holder: Transaction, go: () => void, until: number, gaveUp: () => void): void
  run(transaction: Transaction, text: string, name: string | undefined, values: readonly unknown[]): object[]
}

/** The backend of one connection. */
export class Session {
  open = true
  /** Called if the session ends while a statement runs. */
  broken: (() => void) | undefined
  private readonly database: Server
  private transaction: Transaction | undefined
  private failed = false
  private idle: Scheduled | undefined

  constructor(database: Server) {
    this.database = database
  }

  /** Runs one statement and answers once, perhaps after a lock wait. After its end a session does not answer. */
  execute(text: string, name: string | undefined, values: readonly unknown[], answer: (answer: Answer) => void): void {
    if (!this.open) return
    if (this.idle) this.idle.cancelled = true
    const reply = (result: Answer) => {
      if (!this.open) return
      this.broken = undefined
      if (result.error) this.failed = this.transaction !== undefined
      if (this.transaction) this.idle = this.database.clock.after(idleLimitMs, () => this.end(), this.database.party)
      answer(result)
    }
    if (text === 'begin') this.begin(reply)
    else if (text === 'commit') this.commit(reply)
    else if (text === 'rollback') this.rollback(reply)
    else if (this.failed) reply({ rows: [], error: databaseError('25P02', 'current transaction is aborted') })
    else this.attempt(text, name, values, reply)
  }

  /** Cancels a statement. */
  cancel(answer: (answer: Answer) => void): void {
    this.failed = this.transaction !== undefined
    answer({ rows: [], error: databaseError('57014', 'canceling statement due to user request') })
  }

  /** Ends the session and rolls back its transaction. */
  end(): void {
    if (!this.open) return
    this.open = false
    if (this.idle) this.idle.cancelled = true
    this.close()
    this.broken?.()
  }

  private begin(reply: (answer: Answer) => void): void {
    this.transaction = this.database.begin()
    reply({ rows: [] })
  }

  /** Rolls back, without an error, if a statement of the transaction failed. */
  private commit(reply: (answer: Answer) => void): void {
    const lasts = this.transaction !== undefined && !this.failed
    if (this.transaction && lasts) this.database.commit(this.transaction)
    this.close()
    reply({ rows: [], command: lasts ? 'COMMIT' : 'ROLLBACK' })
  }

  private rollback(reply: (answer: Answer) => void): void {
    this.close()
    reply({ rows: [] })
  }

  private close(): void {
    const transaction = this.transaction
    this.transaction = undefined
    this.failed = false
    if (transaction) this.database.release(transaction)
  }

  private attempt(
    text: string,
    name: string | undefined,
    values: readonly unknown[],
    reply: (answer: Answer) => void,
  ): void {
    const { database } = this
    const since = database.clock.now
    const again = () => {
      if (!this.open) return
      const transaction = this.transaction ?? database.begin()
      try {
        const rows = transaction.atomically(() => database.run(transaction, text, name, values))
        if (!this.transaction) database.commit(transaction)
        reply({ rows })
      } catch (error) {
        if (error instanceof Blocked) {
          if (!this.transaction) database.release(transaction)
          return database.wait(error.holder, again, since + lockLimitMs, () =>
            reply({ rows: [], error: databaseError('55P03', 'canceling statement due to lock timeout') }),
          )
        }
        reply({ rows: [], error: error as Error })
      }
      if (!this.transaction) database.release(transaction)
    }
    again()
  }
}
