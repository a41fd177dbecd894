import { ArrayParameter } from '../../../infra/postgres/array-literal.ts'
import type { Random } from '../../../infra/testing/random.ts'
import type { Party, VirtualClock } from '../time/virtual-clock.ts'
import type { Database } from './database.ts'
import type { Answer, Session } from './session.ts'

/** Faults between a client and the server, as probabilities per statement. */
export interface DatabaseFaults {
  /** The server is unreachable. */
  down: boolean
  /** The connection breaks; the statement may still arrive. */
  lostRequest: number
  /** The statement, perhaps a commit, takes effect and then the connection breaks. */
  lostAnswer: number
  /** The server cancels the statement; the connection stays. */
  cancelled: number
  /** The connection takes up to three seconds. */
  slow: number
}

export interface PoolOptions {
  clock: VirtualClock
  database: Database
  random: Random
  faults: DatabaseFaults
  /** The process that owns the pool. */
  party: Party
}

type Query = string | { text: string; name?: string; values?: unknown[] }

/** Keeps two simultaneous arrivals in order, milliseconds. */
const instant = 0.001

/**
 * One connection of a process, with its faults. Statements are pipelined: they are sent without waiting for earlier answers,
 * arrive in order, run one after another and are answered in order.
 */
export class Client {
  lost = false
  private readonly options: PoolOptions
  private session: Session | undefined
  /** Statements that have arrived; the first one is running. */
  private readonly arrived: (() => void)[] = []
  /** Whether later statements are lost. */
  private severed = false
  private lastArrival = 0
  private lastAnswer = 0

  constructor(options: PoolOptions) {
    this.options = options
  }

  query(query: Query, parameters: unknown[] = []): Promise<{ rows: object[]; rowCount: number; command?: string }> {
    const { clock, database, faults, random, party } = this.options
    const { text, name, values: given = parameters } = typeof query === 'string' ? { text: query } : query
    const values = given.map((value) => (value instanceof ArrayParameter ? value.values : value))
    return new Promise((resolve, reject) => {
      const lose = () => {
        if (!this.lost) this.close(random.chance(0.5) ? 0 : random.between(0, 2_500))
        this.lost = true
        reject(new Error('Connection terminated unexpectedly'))
      }
      if (this.lost || this.severed || faults.down) return void clock.after(this.latency(), lose)
      const session = (this.session ??= database.connect())
      // It may still arrive after the client has given up
      const lostRequest = random.chance(faults.lostRequest)
      if (lostRequest) clock.after(this.latency(), lose)
      if (lostRequest && random.chance(0.5)) return void (this.severed = true)
      const answer = ({ rows, command, error }: Answer) => {
        session.broken = undefined
        this.next()
        const lost = random.chance(faults.lostAnswer)
        this.lastAnswer = Math.max(this.lastAnswer + instant, clock.now + this.latency())
        clock.after(
          this.lastAnswer - clock.now,
          () =>
            lost || this.lost ? lose() : error ? reject(error) : resolve({ rows, rowCount: rows.length, command }),
          party,
        )
      }
      const work = () => {
        const broken = () => {
          clock.after(this.latency(), lose, party)
          this.next()
        }
        if (!session.open) return broken()
        session.broken = broken
        clock.trace?.(`${party.name} ${name ?? text} ${JSON.stringify(values).slice(0, 200)}`)
        const cancel = text !== 'rollback' && text !== 'commit' && random.chance(faults.cancelled)
        if (cancel) session.cancel(answer)
        else session.execute(text, name, values, answer)
      }
      this.lastArrival = Math.max(this.lastArrival + instant, clock.now + this.latency())
      const arrive = () => {
        if (this.arrived.push(work) === 1) work()
      }
      clock.after(this.lastArrival - clock.now, arrive, database.party)
    })
  }

  /** @param afterMs when the server detects it; until then it keeps the transaction and its locks */
  close(afterMs = 0): void {
    const { clock, database } = this.options
    const { session } = this
    clock.after(afterMs, () => session?.end(), database.party)
  }

  private next(): void {
    this.arrived.shift()
    this.arrived[0]?.()
  }

  private latency(): number {
    const { random, faults } = this.options
    return random.chance(faults.slow) ? random.between(20, 3_000) : random.between(0.1, 0.8)
  }
}
