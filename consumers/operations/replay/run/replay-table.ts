import { TallyError } from '../../../../infra/errors.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { Advance, Figures, ReplayFailure, ReplayPartition, RunOptions } from '../mode.ts'
import type { Mode, Plan } from '../plan.ts'

export type ReplayState = 'running' | 'paused' | 'stopped' | 'done' | 'cancelled' | 'undone'
export type Wanted = 'run' | 'pause' | 'cancel'

/** A stored replay. */
export interface ReplayRow {
  readonly id: number
  readonly planId: string
  readonly mode: Mode
  /** Group, or `topic <name>` that is copied to. */
  readonly target: string
  readonly plan: Plan
  readonly options: RunOptions
  readonly actor: string
  readonly why: string | null
  readonly state: ReplayState
  /** Why it is paused or stopped: a clause. */
  readonly reason: string | null
  readonly wanted: Wanted
  readonly run: number
  /** Host and process. */
  readonly runner: string
  readonly figures: Figures
  readonly createdAt: Date
  readonly endedAt: Date | null
  /** Whether a process works on it, or on another replay of its target. */
  readonly attended: boolean
}

/** Two numbers that name the target among all advisory locks of the database: the namespace's table, the target's hash. */
export const lockKey = (target: string): string => `'replay'::regclass::oid::int4, hashtext(${target})`

const columns = `id, plan_id as "planId", mode, target, plan, options, actor, why, state, reason, wanted, run, runner,
  coalesce(result, '{}') as figures, created_at as "createdAt", ended_at as "endedAt",
  exists (
    select from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
      and classid = 'replay'::regclass::oid and objid::int4 = hashtext(target) and objsubid = 2
  ) as attended`

const byId = prepared<{ [K in keyof ReplayRow]: ReplayRow[K] }>(
  'replay_by_id',
  `select ${columns} from replay where id = $1`,
)
const openOf = prepared<{ [K in keyof ReplayRow]: ReplayRow[K] }>(
  'replay_open_of',
  `select ${columns} from replay where target = $1 and state in ('running', 'paused', 'stopped')`,
)
const newest = prepared<{ [K in keyof ReplayRow]: ReplayRow[K] }>(
  'replay_newest',
  `select ${columns} from replay order by id desc limit $1`,
)

export const readReplay = async (tx: Tx, id: number): Promise<ReplayRow | undefined> => (await byId(tx, id))[0]

/** The replay of a target that has not ended. */
export const readOpenReplay = async (tx: Tx, target: string): Promise<ReplayRow | undefined> =>
  (await openOf(tx, target))[0]

/** The newest first. */
export const readReplays = (tx: Tx, limit: number): Promise<ReplayRow[]> => newest(tx, limit)

const insert = prepared<{ id: number }>(
  'replay_insert',
  `insert into replay (plan_id, mode, target, plan, options, actor, why, runner)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (target) where state in ('running', 'paused', 'stopped') do nothing returning id`,
)
const insertRanges = prepared(
  'replay_insert_ranges',
  `insert into replay_partition (replay, topic, partition, from_offset, to_offset, next_offset, before)
   select $1, topic, partition, low, high, low, before
   from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[]) as asked (topic, partition, low, high, before)`,
)

export interface NewReplay {
  readonly plan: Plan
  readonly target: string
  readonly options: RunOptions
  readonly actor: string
  readonly why: string | undefined
  readonly runner: string
  /** Where the group stands, by `topic/partition`. */
  readonly before: ReadonlyMap<string, number>
}

/** @returns its id; undefined if another replay of the target has not ended */
export async function insertReplay(tx: Tx, asked: NewReplay): Promise<number | undefined> {
  const { plan, target, options, actor, why, runner, before } = asked
  const asText = JSON.stringify(plan)
  const [row] = await insert(tx, plan.id, plan.mode, target, asText, JSON.stringify(options), actor, why, runner)
  if (!row) return undefined
  const column = <K extends keyof Plan['partitions'][number]>(name: K) => plan.partitions.map((each) => each[name])
  const places = plan.partitions.map(({ topic, partition }) => before.get(`${topic}/${partition}`))
  await insertRanges(tx, row.id, column('topic'), column('partition'), column('from'), column('to'), places)
  return row.id
}

const ranges = prepared<{ [K in keyof ReplayPartition]: ReplayPartition[K] }>(
  'replay_ranges',
  `select topic, partition, from_offset as "from", to_offset as "to", next_offset as next, scanned, selected, before
   from replay_partition where replay = $1 order by topic, partition`,
)

export const readRanges = (tx: Tx, replay: number): Promise<ReplayPartition[]> => ranges(tx, replay)

/** The saved progress of a replay. */
export interface ReplayProgress {
  readonly run: number
  readonly wanted: Wanted
  /** Processed offsets, and all. */
  readonly offsets: number
  readonly allOffsets: number
  readonly scanned: number
  readonly selected: number
  readonly figures: Figures
}

const progress = prepared<{ [K in keyof ReplayProgress]: ReplayProgress[K] }>(
  'replay_progress',
  `select run, wanted, coalesce(result, '{}') as figures, sums.* from replay,
     lateral (
       select coalesce(sum(next_offset - from_offset), 0)::bigint as offsets,
         coalesce(sum(to_offset - from_offset), 0)::bigint as "allOffsets",
         coalesce(sum(scanned), 0)::bigint as scanned, coalesce(sum(selected), 0)::bigint as selected
       from replay_partition where replay = id
     ) as sums
   where id = $1`,
)

export async function readProgress(tx: Tx, replay: number): Promise<ReplayProgress> {
  const [found] = await progress(tx, replay)
  if (!found) throw new TallyError('USAGE', `there is no replay ${replay}`)
  return found
}

const begin = prepared<{ run: number }>(
  'replay_begin_run',
  `update replay set run = run + 1, runner = $2, state = coalesce($3, state), options = coalesce($4, options),
     wanted = 'run', reason = case when $3::text is null then reason end
   where id = $1 returning run`,
)

/**
 * Begins a run of the calling process: from now on only its progress counts.
 * @param change what it becomes by that; without it, it stays what it is
 */
export async function beginRun(
  tx: Tx,
  replay: number,
  runner: string,
  change?: { state: 'running'; options: RunOptions },
): Promise<number | undefined> {
  const options = change && JSON.stringify(change.options)
  return (await begin(tx, replay, runner, change?.state, options))[0]?.run
}

const addUp = prepared<{ id: number }>(
  'replay_add_figures',
  `update replay set result = (
     select json_object_agg(name, total order by at) from (
       select name, sum(n::numeric) as total, min(at) as at from (
         select * from json_each_text(coalesce(result, '{}')) with ordinality as had (name, n, at)
         union all
         select * from json_each_text($3) with ordinality as more (name, n, at)
       ) as each group by name
     ) as sums
   ) where id = $1 and run = $2 returning id`,
)
const touch = prepared<{ id: number }>(
  'replay_touch',
  'select id from replay where id = $1 and run = $2 for no key update',
)
const move = prepared(
  'replay_advance',
  `update replay_partition p
   set next_offset = greatest(p.next_offset, asked.next), scanned = p.scanned + asked.scanned, selected = p.selected + asked.selected
   from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[]) as asked (topic, partition, next, scanned, selected)
   where p.replay = $1 and p.topic = asked.topic and p.partition = asked.partition`,
)

/** Adds progress. @returns false if another run has begun since: nothing may be committed then */
export async function saveAdvance(
  tx: Tx,
  { id, run }: { id: number; run: number },
  advances: readonly Advance[],
  figures: Figures = {},
): Promise<boolean> {
  const added = Object.entries(figures).length > 0
  const ours = added ? await addUp(tx, id, run, JSON.stringify(figures)) : await touch(tx, id, run)
  if (ours.length === 0) return false
  const column = <K extends keyof Advance>(name: K) => advances.map((each) => each[name])
  if (advances.length > 0)
    await move(tx, id, column('topic'), column('partition'), column('next'), column('scanned'), column('selected'))
  return true
}

const insertFailures = prepared(
  'replay_insert_failures',
  `insert into replay_failure
   select $1, * from unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
   on conflict do nothing`,
)

export async function saveFailures(tx: Tx, replay: number, failures: readonly ReplayFailure[]): Promise<void> {
  if (failures.length === 0) return
  const column = <K extends keyof ReplayFailure>(name: K) => failures.map((each) => each[name])
  const names = ['topic', 'partition', 'offset', 'key', 'type', 'reason', 'error'] as const
  await insertFailures(tx, replay, ...names.map(column))
}

const failures = prepared<{ [K in keyof ReplayFailure]: ReplayFailure[K] }>(
  'replay_failures',
  `select topic, partition, "offset", key, type, reason, error from replay_failure
   where replay = $1 order by topic, partition, "offset" limit $2`,
)

export const readFailures = (tx: Tx, replay: number, limit: number): Promise<ReplayFailure[]> =>
  failures(tx, replay, limit)

const end = prepared<{ id: number }>(
  'replay_end_run',
  `update replay set state = $3, reason = $4, wanted = 'run',
     ended_at = case when $3 in ('done', 'cancelled', 'undone') then now() end
   where id = $1 and run = $2 returning id`,
)

/** @returns false if another run has begun since */
export const endRun = async (
  tx: Tx,
  { id, run }: { id: number; run: number },
  state: ReplayState,
  reason: string | null,
): Promise<boolean> => (await end(tx, id, run, state, reason)).length > 0

const ask = prepared<{ id: number }>(
  'replay_ask',
  `update replay set wanted = $2 where id = $1 and state = 'running' and wanted not in ('cancel', $2) returning id`,
)

/** Asks the runner to pause or cancel. A request to cancel cannot be withdrawn. */
export const askRunner = async (tx: Tx, replay: number, wanted: Exclude<Wanted, 'run'>): Promise<void> =>
  void (await ask(tx, replay, wanted))
