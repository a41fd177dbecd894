import type { Pool } from '../../../infra/postgres/pool.ts'
import { countParked } from '../tables/parked-figures.ts'

export interface ParkedCount {
  /** Those that are retried, and those queued behind them. */
  readonly retrying: number
  /** Those that only an operator can make due. */
  readonly stuck: number
}

/** How old a number may be, ms. */
const goodForMs = 10_000

/** The parked events of a group, counted beside the reading of metrics, which never waits for the database. */
export class ParkedCounter {
  private readonly pool: Pool
  private counted: ParkedCount | undefined
  private at = Number.NEGATIVE_INFINITY
  private counting = false

  constructor(pool: Pool) {
    this.pool = pool
  }

  /** The last count, at most some seconds old; undefined before the first, and while the database does not answer. */
  latest(): ParkedCount | undefined {
    const now = performance.now()
    if (now - this.at > goodForMs && !this.counting) void this.count()
    return now - this.at > 3 * goodForMs ? undefined : this.counted
  }

  private async count(): Promise<void> {
    this.counting = true
    try {
      this.counted = await countParked(this.pool)
      this.at = performance.now()
    } catch {
      // Unknown until the database answers
    } finally {
      this.counting = false
    }
  }
}
