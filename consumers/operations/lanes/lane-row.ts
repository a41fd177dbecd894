import { parkedByLane } from '../../runtime/tables/parked-figures.ts'
import type { ReplicaPace } from '../../runtime/tables/replicas/pace-table.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'

/** A lane as the tables of its group show it. Durations in milliseconds. */
export interface LaneRow {
  readonly lane: number
  /** 0: never claimed. */
  readonly epoch: number
  readonly owner: string | null
  /** Time since its owner's last query; null if no such process is connected to the database. */
  readonly silentMs: number | null
  /** As reported by its owner; null if it is claimed and the owner has not reported yet. */
  readonly phase: string | null
  readonly reason: string | null
  readonly phaseMs: number | null
  readonly pause: { readonly actor: string; readonly reason: string; readonly ms: number } | null
  /** Next offset by topic, as far as the group has read it. */
  readonly positions: Readonly<Record<string, number>>
  /** The replay for which it processes offsets again, and how many are left. */
  readonly again: { readonly replay: number; readonly left: number } | null
  readonly parked: number
  /** Parked events that wait for an operator, without those queued behind them. */
  readonly forPersons: number
  readonly outbox: number
  readonly outboxMs: number | null
  readonly calls: number
  /** Calls without a definite answer so far. */
  readonly failingCalls: number
  readonly callError: string | null
  readonly timers: number
  readonly overdueTimers: number
  /** How its owner lets cycles wait, as it last said; null if it never waited. */
  readonly pace: ReplicaPace | null
}

const milliseconds = (time: string) =>
  `case when ${time} is not null then greatest(0, extract(epoch from clock_timestamp() - ${time}) * 1000)::float8 end`

/** An owner looks for due work every few seconds, so the time since its last query shows whether it is alive. */
const statement = (schema: string) => `
  with known as (select lane from ${schema}.lane union select lane from ${schema}.pause),
    replica as (
      select application_name as name, bool_or(state = 'active') as active, max(state_change) as spoke
      from pg_stat_activity where datname = current_database() group by 1),
    parked as (
      ${parkedByLane(schema)}),
    waiting as (
      select lane, sum(last_seq - first_seq + 1)::bigint as events, min(written_at) as since from ${schema}.outbox_batch group by 1),
    calls as (
      select lane, count(*) as rows, count(*) filter (where attempts > 0) as failing,
        (array_agg(last_error order by attempts desc) filter (where last_error is not null))[1] as error
      from ${schema}.call group by 1),
    timers as (
      select lane, count(*) as rows, count(*) filter (where due_at < now() - interval '10 s') as overdue
      from ${schema}.timer group by 1)
  select known.lane, coalesce(l.epoch, 0) as epoch, l.owner,
    case when replica.active then 0 else ${milliseconds('replica.spoke')} end as "silentMs",
    s.phase, s.reason, ${milliseconds('s.since')} as "phaseMs",
    case when p.lane is not null
      then json_build_object('actor', p.actor, 'reason', p.reason, 'ms', ${milliseconds('p.at')}) end as pause,
    coalesce((
      select json_object_agg(topic, next_offset) from (
        select distinct on (topic) topic, next_offset from ${schema}.ledger
        where partition = known.lane order by topic, epoch desc) as newest), '{}') as positions,
    (select json_build_object('replay', max(replay), 'left', sum(again_until - next_offset)) from (
        select distinct on (topic) replay, again_until, next_offset from ${schema}.ledger
        where partition = known.lane order by topic, epoch desc) as newest
      where next_offset < again_until having count(*) > 0) as again,
    coalesce(parked.rows, 0) as parked, coalesce(parked.stuck, 0) as "forPersons",
    coalesce(waiting.events, 0) as outbox,
    ${milliseconds('waiting.since')} as "outboxMs",
    coalesce(calls.rows, 0) as calls, coalesce(calls.failing, 0) as "failingCalls", calls.error as "callError",
    coalesce(timers.rows, 0) as timers, coalesce(timers.overdue, 0) as "overdueTimers",
    pace.state as pace
  from known
    left join ${schema}.lane as l on l.lane = known.lane
    left join ${schema}.lane_state as s on s.lane = known.lane and s.epoch = l.epoch
    left join ${schema}.pause as p on p.lane = known.lane
    left join replica on replica.name = left(l.owner, 63)
    left join ${schema}.pace on pace.replica = l.owner
    left join parked on parked.lane = known.lane
    left join waiting on waiting.lane = known.lane
    left join calls on calls.lane = known.lane
    left join timers on timers.lane = known.lane
  order by known.lane`

/** A snapshot of all lanes of a group that were ever claimed or paused, including ended ones. @param schema quoted */
export const readLaneRows = async (pool: Pool, schema: string): Promise<LaneRow[]> =>
  (await pool.query<LaneRow>(statement(schema))).rows
