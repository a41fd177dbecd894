import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { ReplicaCounts } from '../../../infra/stack/supervisor/scaling.ts'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import { chooseGroups } from '../groups.ts'
import { readTopicEnds } from '../lanes/topic-ends.ts'
import type { Group } from '../groups.ts'
import { noTotals, readLedgerTotals } from './ledger-totals.ts'
import type { LedgerTotals } from './ledger-totals.ts'
import { readLaneProgress } from './lane-progress.ts'
import type { LaneProgress } from './lane-progress.ts'
import { LaneTrace } from './lane-trace.ts'
import type { Passage } from './lane-trace.ts'
import { askForReplicas, replicasOf, requireStack } from './running-stack.ts'
import { pidOf, unsettled } from './unsettled.ts'

/** The course of a change of replicas for one consumer. */
export interface Change {
  readonly consumer: string
  readonly replicas: { readonly before: number; readonly after: number }
  /** How many of them are new processes. */
  readonly replaced: number
  /** One per lane; owners called by their process in the stack where they are one. */
  readonly passages: readonly Passage[]
  readonly totals: { readonly before: LedgerTotals; readonly after: LedgerTotals }
}

export interface FollowOptions {
  config: Config
  pool: Pool
  /** Time limit for each replica to start, and for the lanes to settle afterwards. */
  withinMs: number
  signal: AbortSignal
}

export type ChangeOptions = FollowOptions & { wanted: ReplicaCounts }

/** Interval between two polls of the lanes, which is the precision of the pauses reported. */
const lookEveryMs = 50
/** How long a claimed lane with unread events is watched for its first commit. */
const firstCommitWithinMs = 5_000

/**
 * Asks the supervisor to change the number of replicas, and watches every lane until it has settled.
 * @throws TallyError USAGE, UNREACHABLE: a replica did not start, lanes did not settle
 */
export const changeReplicas = ({ wanted, ...options }: ChangeOptions): Promise<Change[]> =>
  followChange(Object.keys(wanted), options, () =>
    askForReplicas(options.config.dataDir, { replicas: wanted, startWithinMs: options.withinMs }),
  )

/**
 * Watches every lane of these consumers, in the current generation of the topics, from before a change of their
 * replicas until it has settled.
 * @param change changes the replicas; resolves when they run
 * @throws TallyError USAGE, UNREACHABLE: the lanes did not settle; what `change` throws
 */
export async function followChange(
  consumers: readonly string[],
  { config: configured, pool, withinMs, signal }: FollowOptions,
  change: () => Promise<unknown>,
): Promise<Change[]> {
  const config = await currentConfig(configured, pool)
  const before = await requireStack(config.dataDir)
  const groups = await chooseGroups(config, consumers)
  const totalsBefore = await Promise.all(groups.map((group) => totalsOf(config, pool, group)))
  const begunAt = performance.now()
  const lanesBefore = await Promise.all(groups.map((group) => readLaneProgress(pool, group)))
  const watching = new AbortController()
  let after: StackStatus | undefined
  const watches = groups.map((group, index) =>
    watch(config, pool, group, {
      ...{ before: lanesBefore[index] ?? [], begunAt },
      after: () => after,
      withinMs,
      signal: AbortSignal.any([signal, watching.signal]),
    }),
  )
  const asking = change().then(async () => {
    after = await requireStack(config.dataDir)
    return after
  })
  try {
    const [stack, ...traces] = await Promise.all([asking, ...watches])
    const totals = await Promise.all(groups.map((group) => totalsOf(config, pool, group)))
    return groups.map(({ name }, index) => {
      const replicas = { before: replicasOf(before, name), after: replicasOf(stack, name) }
      const old = new Map(replicas.before.map((replica) => [replica.name, replica.identity?.pid]))
      return {
        consumer: name,
        replicas: { before: replicas.before.length, after: replicas.after.length },
        replaced: replicas.after.filter((each) => old.has(each.name) && old.get(each.name) !== each.identity?.pid)
          .length,
        passages: (traces[index] ?? []).map((trace) => named(trace.passage(), [stack, before])),
        totals: { before: totalsBefore[index] ?? noTotals, after: totals[index] ?? noTotals },
      }
    })
  } finally {
    watching.abort()
    await Promise.allSettled([asking, ...watches])
  }
}

interface WatchOptions {
  /** The lanes before the change; one that is not among them was never claimed. */
  before: readonly LaneProgress[]
  begunAt: number
  /** The stack once the replicas are as wanted. */
  after(): StackStatus | undefined
  withinMs: number
  signal: AbortSignal
}

/**
 * Follows the lanes of a group until they have settled after the change.
 * @throws TallyError UNREACHABLE if they do not
 */
async function watch(
  config: Config,
  pool: Pool,
  group: Group,
  { before, begunAt, after, withinMs, signal }: WatchOptions,
): Promise<LaneTrace[]> {
  const ends = await readTopicEnds(config, [...group.topics], () => false)
  const partitions = Math.max(...[...ends.values()].map((topic) => topic.size))
  const traces = new Map(
    before.flatMap((lane) => (lane.lane < partitions ? [[lane.lane, new LaneTrace(lane, begunAt)]] : [])),
  )
  let changedAt: number | undefined
  let settledAt: number | undefined
  let idle: ReadonlySet<number> = new Set()
  for (;;) {
    const lanes = (await readLaneProgress(pool, group)).filter(({ lane }) => lane < partitions)
    const at = performance.now()
    for (const lane of lanes) {
      const trace = traces.get(lane.lane) ?? new LaneTrace(neverClaimed(lane), at)
      traces.set(lane.lane, trace)
      trace.see(lane, at)
    }
    const stack = after()
    if (stack) {
      changedAt ??= at
      const pids = replicasOf(stack, group.name).flatMap(({ identity }) => identity?.pid ?? [])
      const missing = unsettled(lanes, partitions, pids)
      if (missing !== undefined) settledAt = undefined
      else if (settledAt === undefined) {
        settledAt = at
        void idleLanes(config, group, lanes).then((found) => (idle = found)) // Polling continues meanwhile
      }
      const found = [...traces.values()].sort((one, other) => one.last.lane - other.last.lane)
      const done = ({ goesOn, last }: LaneTrace) => goesOn || idle.has(last.lane)
      if (settledAt !== undefined && (at - settledAt > firstCommitWithinMs || found.every(done))) return found
      if (missing !== undefined && at - changedAt > withinMs)
        throw new TallyError(
          'UNREACHABLE',
          `${group.name} has its replicas, but its lanes did not settle within ${withinMs / 1000} s: ${missing}. \`npm run lanes -- ls ${group.name} --all\` shows them`,
        )
    }
    await delay(lookEveryMs, undefined, { signal })
  }
}

/** Its first owner opens it where it begins: it has processed nothing by that. */
const neverClaimed = (lane: LaneProgress): LaneProgress => ({ ...lane, epoch: 0, owner: null, claimed: false })

/** Lanes that have read all events; none if the broker does not report the ends. */
async function idleLanes(config: Config, group: Group, lanes: readonly LaneProgress[]): Promise<Set<number>> {
  const ends = await readTopicEnds(config, [...group.topics], () => false).catch(() => undefined)
  const endOf = (lane: number) =>
    [...(ends?.values() ?? [])].reduce((sum, topic) => sum + (topic.get(lane)?.end ?? 0), 0)
  return new Set(lanes.filter(({ lane, reached }) => ends && reached >= endOf(lane)).map(({ lane }) => lane))
}

/** A consumer that only just joins has none. */
async function totalsOf(config: Config, pool: Pool, group: Group): Promise<LedgerTotals> {
  const lanes = await readLaneProgress(pool, group)
  return lanes.length === 0 ? noTotals : readLedgerTotals(config, pool, group)
}

/** `payment@host:1234` is `payment-2` to people. */
function named(passage: Passage, stacks: readonly StackStatus[]): Passage {
  const name = (owner: string | null) => {
    const processes = stacks.flatMap((stack) => stack.processes)
    return processes.find(({ identity }) => identity?.pid === pidOf(owner))?.name ?? owner
  }
  return { ...passage, from: name(passage.from), to: name(passage.to) }
}
