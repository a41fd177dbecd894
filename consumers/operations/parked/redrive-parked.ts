import type { Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { makeKeysDue } from '../../runtime/tables/parked-changes.ts'
import { nextKeys } from '../../runtime/tables/parked-list.ts'
import type { AskedKey, Selection } from '../../runtime/tables/parked-list.ts'
import { awaitRedrive } from './await-redrive.ts'
import type { RedriveOutcome } from './await-redrive.ts'
import type { Chosen } from './choose-parked.ts'
import { laneObstacles, ownedLanes } from './lane-obstacles.ts'
import type { LaneObstacle } from './lane-obstacles.ts'
import { workInLanes } from './lane-work.ts'
import type { Work } from './lane-work.ts'
import type { OpenGroup } from './parked-groups.ts'

/** Keys of one group whose parked events are due. */
export interface AskedOfGroup {
  readonly group: OpenGroup
  readonly keys: readonly AskedKey[]
}

/** The outcomes of the keys of one group. */
export interface GroupRedrive {
  readonly group: string
  readonly outcome: RedriveOutcome
  /** Why lanes with pending keys do not handle them now. */
  readonly obstacles: readonly LaneObstacle[]
}

export interface AskOptions {
  readonly signal: AbortSignal
  /** Keys a second that are made due, on average. @default as many as possible */
  readonly ratePerSecond?: number
  /** @param events made due in the group so far */
  onProgress?(group: string, events: number): void
  /** Called when all chosen keys of a group are due. */
  onAsked?(group: string, keys: number): void
}

const keysAtOnce = 200

/**
 * Makes parked events due, so that the lanes' owners handle them at once. Each is attempted once; one that fails again
 * waits for the delay that its number of attempts determines.
 */
export async function askRedrive(pool: Pool, selection: Selection, by: Actor, work: Work = {}): Promise<AskedKey[]> {
  let events = 0
  const onProgress = () => work.onProgress?.(events)
  return workInLanes(pool, selection, { ...work, onProgress }, (lane) => {
    let after: string | null = null
    return async (tx) => {
      const limit = Math.min(keysAtOnce, Math.ceil(work.ratePerSecond ?? keysAtOnce))
      const found = await nextKeys(tx, selection, lane, { after, limit })
      const ids = found.flatMap(({ ids: [head], chosen }) => (head === undefined ? [] : [head, ...chosen]))
      await noteAction(tx, [...new Set(ids)], 'REDRIVE_ASKED', by)
      await makeKeysDue(tx, found)
      after = found.at(-1)?.key ?? after
      events += found.reduce((sum, { ids: all }) => sum + all.length, 0)
      return found.map(({ chosen: _chosen, ...asked }) => asked)
    }
  })
}

/**
 * Makes the chosen events due, group by group, each lane in transactions of its own. Interrupted, it can be run again:
 * an event that is due already or was handled is not handled twice.
 */
export async function askChosen(
  chosen: readonly Chosen[],
  by: Actor,
  { signal, ratePerSecond, onProgress, onAsked }: AskOptions,
): Promise<AskedOfGroup[]> {
  const asked: AskedOfGroup[] = []
  for (const { group, selection } of chosen) {
    const keys = await askRedrive(group.pool, selection, by, {
      signal,
      ratePerSecond,
      onProgress: (events) => onProgress?.(group.name, events),
    })
    if (keys.length === 0) continue
    onAsked?.(group.name, keys.length)
    asked.push({ group, keys })
  }
  return asked
}

export const eventsOf = (keys: readonly AskedKey[]): number => keys.reduce((sum, { ids }) => sum + ids.length, 0)

export interface SeeThroughOptions {
  readonly signal: AbortSignal
  onProgress?(group: string, outcome: RedriveOutcome): void
  /** Called when a group's keys were handled or have failed, or when there is no more progress. */
  onGroup?(result: GroupRedrive): void
}

/** Waits for the lanes' owners to handle the events, as long as progress can be expected. */
export async function seeThrough(
  config: Config,
  asked: readonly AskedOfGroup[],
  { signal, onProgress, onGroup }: SeeThroughOptions,
): Promise<GroupRedrive[]> {
  const kafka = connectKafka('parked', config)
  const results: GroupRedrive[] = []
  for (const { group, keys } of asked) {
    const { name, pool } = group
    const obstaclesOf = async (lanes: readonly number[]) =>
      laneObstacles(pool, lanes, await owned(kafka, `${config.namespace}${name}`))
    const outcome = await awaitRedrive(pool, keys, {
      obstacles: obstaclesOf,
      signal,
      onProgress: (now) => onProgress?.(name, now),
    })
    const lanes = [...new Set(outcome.pending.map(({ lane }) => lane))]
    const result = { group: name, outcome, obstacles: lanes.length > 0 ? await obstaclesOf(lanes) : [] }
    onGroup?.(result)
    results.push(result)
  }
  return results
}

/** If the broker does not answer, the owners are unknown. */
const owned = (kafka: Kafka, groupId: string): Promise<ReadonlySet<number> | undefined> =>
  ownedLanes(kafka, groupId).catch(() => undefined)
