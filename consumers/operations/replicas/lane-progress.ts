import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Group } from '../groups.ts'
import { hasSqlState } from '../../../infra/postgres/sqlstates.ts'

/** A snapshot of a lane's owner and position. */
export interface LaneProgress {
  readonly lane: number
  readonly epoch: number
  readonly owner: string | null
  /** Its owner is connected to the database and has opened the lane's ledger. */
  readonly claimed: boolean
  /** Changes with every commit that takes records. */
  readonly reached: number
}

const statement = (schema: string) => `
  select l.lane, l.epoch, l.owner,
    s.phase is not null and exists (
      select from pg_stat_activity where datname = current_database() and application_name = left(l.owner, 63)) as claimed,
    coalesce((
      select sum(next_offset) from (
        select distinct on (topic) next_offset from ${schema}.ledger
        where partition = l.lane and topic = any($1) order by topic, epoch desc) as newest), 0)::bigint as reached
  from ${schema}.lane as l left join ${schema}.lane_state as s on s.lane = l.lane and s.epoch = l.epoch
  order by l.lane`

/**
 * The progress of all lanes of a group that were ever claimed, including ended ones. Fast enough for frequent polling.
 */
export async function readLaneProgress(
  pool: Pool,
  { schema, topics }: Pick<Group, 'schema' | 'topics'>,
): Promise<LaneProgress[]> {
  try {
    return (await pool.query<LaneProgress>(statement(schema), [[...topics]])).rows
  } catch (error) {
    if (hasSqlState(error, 'undefinedTable', 'undefinedSchema')) return [] // A consumer that is just joining
    throw error
  }
}
