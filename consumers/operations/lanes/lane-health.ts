import type { LaneRow } from './lane-row.ts'
import { ages } from './topic-ends.ts'
import type { TopicEnds } from './topic-ends.ts'
import type { OpenTransaction } from '../../../infra/kafka/reading/open-transactions.ts'
import { whyLost } from '../../runtime/group/topic-offsets.ts'

/**
 * - live      processes what arrives
 * - claiming  its owner waits for the database to confirm the claim
 * - pausing   an operator has paused it; its owner has not confirmed yet
 * - paused    an operator has paused it
 * - waiting   for a fault that recovers automatically, or until fewer events are parked
 * - stopped   needs an operator
 * - silent    its owner is frozen or cut off
 * - unowned   no process owns it
 */
export type Condition = 'live' | 'claiming' | 'pausing' | 'paused' | 'waiting' | 'stopped' | 'silent' | 'unowned'

export interface LaneHealth extends LaneRow {
  readonly condition: Condition
  /** By topic: the next offset, and the end of the partition (undefined if the broker did not report it). */
  readonly topics: readonly { readonly topic: string; readonly position: number; readonly end: number | undefined }[]
  /** Records that the broker no longer has although the group has not read them, a sentence for each topic. */
  readonly lost: readonly string[]
  /** Transactions of other producers that hold back records of its topics. */
  readonly open: readonly OpenTransaction[]
  /** Number of unread events; undefined if the broker did not report the ends. */
  readonly behind: number | undefined
  /** Lower bound for the time the oldest of them has waited, milliseconds; 0 if it has not waited long. */
  readonly behindMs: number
}

/** An idle owner asks the database every four seconds. One that has not done so for this time is silent. */
const silentAfterMs = 7_000

/** A lane that was never claimed or paused. */
const unclaimed: Omit<LaneRow, 'lane'> = {
  epoch: 0,
  owner: null,
  silentMs: null,
  phase: null,
  reason: null,
  phaseMs: null,
  pause: null,
  positions: {},
  again: null,
  parked: 0,
  forPersons: 0,
  outbox: 0,
  outboxMs: null,
  calls: 0,
  failingCalls: 0,
  callError: null,
  timers: 0,
  overdueTimers: 0,
  pace: null,
}

/**
 * The health of all lanes of a group, from its tables and the ends of its topics.
 * @param partitions number of lanes if the broker does not report it
 * @param ends undefined if the broker does not answer
 */
export function judgeLanes(
  rows: readonly LaneRow[],
  topics: readonly string[],
  partitions: number,
  ends: TopicEnds | undefined,
): LaneHealth[] {
  const count = Math.max(...topics.map((topic) => ends?.get(topic)?.size ?? 0)) || partitions
  const known = new Map(rows.map((row) => [row.lane, row]))
  // With fewer partitions than before the last lanes have ended: shown only if something was left in them
  const left = rows.filter(({ parked, outbox, calls, timers }) => parked + outbox + calls + timers > 0)
  const lanes = new Set([...Array(count).keys(), ...left.map(({ lane }) => lane)])
  return [...lanes].map((lane) => judgeLane(known.get(lane) ?? { ...unclaimed, lane }, topics, ends))
}

function judgeLane(row: LaneRow, topics: readonly string[], ends: TopicEnds | undefined): LaneHealth {
  const places = topics.map((topic) => {
    const extent = ends?.get(topic)?.get(row.lane)
    // A group that has never read a topic begins at its first available offset
    const position = row.positions[topic] ?? extent?.low ?? 0
    const behind = extent && Math.max(0, extent.end - Math.max(position, extent.low))
    const steps = extent?.notOlder?.map((offset, index) => (offset > position ? (ages[index] ?? 0) : 0)) ?? []
    return { topic, position, extent, end: extent?.end, behind, waitsMs: behind ? Math.max(0, ...steps) : 0 }
  })
  return {
    ...row,
    condition: conditionOf(row),
    topics: places.map(({ topic, position, end }) => ({ topic, position, end })),
    lost: places.flatMap(({ topic, extent }) => {
      const position = row.positions[topic]
      const why = position === undefined ? undefined : extent && whyLost(`${topic}/${row.lane}`, position, extent)
      return why ?? []
    }),
    open: places.flatMap(({ extent }) => extent?.open ?? []),
    behind: places.some(({ behind }) => behind === undefined)
      ? undefined
      : places.reduce((sum, { behind = 0 }) => sum + behind, 0),
    behindMs: Math.max(0, ...places.map(({ waitsMs }) => waitsMs)),
  }
}

export function conditionOf({ silentMs, phase, pause }: LaneRow): Condition {
  if (silentMs === null) return pause ? 'paused' : 'unowned'
  if (silentMs > silentAfterMs) return 'silent'
  if (phase === 'stopped') return 'stopped'
  if (pause) return phase === 'paused' ? 'paused' : 'pausing'
  if (phase === 'waiting') return 'waiting'
  return phase === null ? 'claiming' : 'live' // Just resumed, it still says paused
}
