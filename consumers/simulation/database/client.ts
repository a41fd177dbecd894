import { ArrayParameter } from '../../../infra/array-literal.ts'
import type { PoolOptions } from './pool.ts'
import type { Answer, Session } from './session.ts'

type Query = string | { text: string; name?: string; values?: unknown[] }

/** One connection of a process, and everything that can happen to what goes over it. */
export class Client {
  lost = false
  private readonly options: PoolOptions
  private session: Session | undefined

  constructor(options: PoolOptions) {
    this.options = options
  }

  query(query: Query, parameters: unknown[] = []): Promise<{ rows: object[]; rowCount: number }> {
    const { clock, database, faults, random, party } = this.options
    const { text, name, values: given = parameters } = typeof query === 'string' ? { text: query } : query
    const values = given.map((value) => (value instanceof ArrayParameter ? value.values : value))
    return new Promise((resolve, reject) => {
      const lose = () => {
        if (!this.lost) this.close(random.chance(0.5) ? 0 : random.between(0, 2_500))
        this.lost = true
        reject(new Error('Connection terminated unexpectedly'))
      }
      if (this.lost || faults.down) return void clock.after(this.latency(), lose)
      const session = (this.session ??= database.connect())
      // It may still arrive when the client has given it up
      const lostRequest = random.chance(faults.lostRequest)
      if (lostRequest) clock.after(this.latency(), lose)
      if (lostRequest && random.chance(0.5)) return
      const answer = ({ rows, error }: Answer) => {
        const lost = random.chance(faults.lostAnswer)
        clock.after(
          this.latency(),
          () => (lost ? lose() : error ? reject(error) : resolve({ rows, rowCount: rows.length })),
          party,
        )
      }
      const arrive = () => {
        if (!session.open) return void clock.after(0, lose, party)
        session.broken = () => clock.after(this.latency(), lose, party)
        clock.trace?.(`${party.name} ${name ?? text} ${JSON.stringify(values).slice(0, 200)}`)
        const cancel = text !== 'rollback' && text !== 'commit' && random.chance(faults.cancelled)
        if (cancel) session.cancel(answer)
        else session.execute(text, name, values, answer)
      }
      clock.after(this.latency(), arrive, database.party)
    })
  }

  /** @param afterMs when the server notices; until then it keeps the transaction and its locks */
  close(afterMs = 0): void {
    const { clock, database } = this.options
    const { session } = this
    clock.after(afterMs, () => session?.end(), database.party)
  }

  private latency(): number {
    const { random, faults } = this.options
    return random.chance(faults.slow) ? random.between(20, 3_000) : random.between(0.1, 0.8)
  }
}
