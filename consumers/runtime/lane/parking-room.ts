import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { countParked } from '../tables/parked-table.ts'

const lookEveryMs = 2_000

/**
 * Room for further parked events in a lane that has parked as many as it may. To find out by processing the next batch would
 * write up to a thousand events and take them back, again and again, all night.
 */
export class ParkingRoom {
  private readonly pool: Pool
  private readonly lane: number
  private readonly limit: number
  private readonly everyMs: number
  /** Set while somebody waits for room. */
  looking: Promise<void> | undefined

  constructor(pool: Pool, lane: number, limit: number, everyMs = lookEveryMs) {
    this.pool = pool
    this.lane = lane
    this.limit = limit
    this.everyMs = everyMs
  }

  /**
   * Resolves when there is room, or is no longer wanted; those who wait at the same time share the looks. Never rejects.
   */
  available(wanted: () => boolean): Promise<void> {
    this.looking ??= this.look(wanted).finally(() => (this.looking = undefined))
    return this.looking
  }

  private async look(wanted: () => boolean): Promise<void> {
    while (wanted() && !(await this.isThere())) await delay(this.everyMs)
  }

  private isThere(): Promise<boolean> {
    return countParked(this.pool, this.lane).then(
      (parked) => parked < this.limit,
      () => false,
    )
  }
}
