import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { schemaName } from '../../consumers/load-consumer.ts'
import type { Pool } from '../../infra/postgres.ts'
import { offsetRanges } from '../verify/read-topics.ts'

export interface Watched {
  kafka: Kafka
  pool: Pool
  groups: readonly string[]
  /** Names on the broker. */
  topics: readonly string[]
}

/** How far the pipeline was at one moment. */
interface Progress {
  /** Offset after the last record, by topic and partition. */
  readonly ends: ReadonlyMap<string, number>
  /** Next offset by group, topic and partition. */
  readonly positions: ReadonlyMap<string, number>
  /** Number of the first row that waits, by writer and lane. */
  readonly outboxes: ReadonlyMap<string, number>
}

/**
 * Resolves when everything that had something to do has moved: each group in each partition, and each outbox.
 * @returns milliseconds it took; undefined if it took too long
 */
export async function recover(watched: Watched, withinMs: number, signal: AbortSignal): Promise<number | undefined> {
  const from = performance.now()
  const tookMs = () => performance.now() - from
  const before = await untilRead(watched, () => tookMs() < withinMs && !signal.aborted)
  while (before && tookMs() < withinMs && !signal.aborted) {
    const now = await untilRead(watched, () => tookMs() < withinMs && !signal.aborted)
    if (now && hasMoved(before, now)) return tookMs()
    await delay(100)
  }
  return undefined
}

function hasMoved(before: Progress, now: Progress): boolean {
  const groupsMoved = [...before.positions].every(([place, position]) => {
    const end = before.ends.get(place.slice(place.indexOf('/') + 1)) ?? 0
    const reached = now.positions.get(place) ?? 0
    return reached >= end || reached > position
  })
  return groupsMoved && [...before.outboxes].every(([lane, seq]) => (now.outboxes.get(lane) ?? Infinity) > seq)
}

/** Servers may be away for the moment. */
async function untilRead(watched: Watched, wanted: () => boolean): Promise<Progress | undefined> {
  while (wanted()) {
    try {
      return await readProgress(watched)
    } catch {
      await delay(100)
    }
  }
  return undefined
}

async function readProgress({ kafka, pool, groups, topics }: Watched): Promise<Progress> {
  const ranges = await offsetRanges(kafka, topics)
  const ledgers = groups.map(
    (group) =>
      `select '${group}' || '/' || topic || '/' || partition as place, max(next_offset) as at
       from "${schemaName('', group)}".ledger group by topic, partition`,
  )
  const outboxes = ['orders', ...groups].map(
    (writer) =>
      `select '${writer}' || '/' || lane as place, min(seq) as at from "${schemaName('', writer)}".outbox group by lane`,
  )
  const read = async (parts: readonly string[]) => {
    const { rows } = await pool.query<{ place: string; at: number }>(parts.join(' union all '))
    return new Map(rows.map(({ place, at }) => [place, at]))
  }
  return {
    ends: new Map(
      [...ranges].flatMap(([topic, partitions]) =>
        partitions.map(({ end }, partition): [string, number] => [`${topic}/${partition}`, end]),
      ),
    ),
    positions: await read(ledgers),
    outboxes: await read(outboxes),
  }
}
