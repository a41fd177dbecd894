import type { LingerState } from '../../../../infra/linger/linger.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'

/** How a replica lets its cycles wait. */
export interface ReplicaPace {
  readonly transactions: LingerState
  readonly publishing: LingerState
}

// A replica has a new name after each start
const note = prepared(
  'pace_note',
  `with gone as (delete from pace where noted_at < now() - interval '1 day' and replica <> $1)
   insert into pace (replica, state) values ($1, $2)
   on conflict (replica) do update set state = excluded.state, noted_at = now()`,
)

/** Records what a replica's controllers say, for operators. A replica that does not linger writes nothing. */
export class PaceNotes {
  private readonly pool: Pool
  private readonly replica: string
  private lingered = false

  constructor(pool: Pool, replica: string) {
    this.pool = pool
    this.replica = replica
  }

  async note(pace: ReplicaPace): Promise<void> {
    const lingers = pace.transactions.floorMs > 0 || pace.publishing.floorMs > 0
    if (!lingers && !this.lingered) return
    this.lingered = lingers
    await note(this.pool, this.replica, JSON.stringify(pace)).catch(() => {}) // The next note says it again
  }
}
