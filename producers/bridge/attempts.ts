import type { Pool } from '../../infra/postgres/pool.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import { reachDatabase } from '../orders-api/reach-database.ts'

/** What is known of messages whose attempts did not end, across bridges and restarts. */
export interface Attempts {
  /** Notes that an attempt begins. @returns how many began before and did not end. @throws TallyError UNREACHABLE */
  begin(key: string): Promise<number>
  /** @throws TallyError UNREACHABLE */
  end(key: string): Promise<void>
}

// Rows of messages that never came back are as few as those that do: they are deleted on the way
const begin = prepared<{ before: number }>(
  'message_attempt_begin',
  `with old as (delete from message_attempt where begun_at < now() - interval '30 days' and key <> $1)
   insert into message_attempt (key, begun) values ($1, 1)
   on conflict (key) do update set begun = message_attempt.begun + 1, begun_at = now() returning begun - 1 as before`,
)

const end = prepared('message_attempt_end', 'delete from message_attempt where key = $1')

export const storedAttempts = (pool: Pool): Attempts => ({
  begin: async (key) => (await reachDatabase(() => begin(pool, key)))[0]?.before ?? 0,
  end: async (key) => void (await reachDatabase(() => end(pool, key))),
})
