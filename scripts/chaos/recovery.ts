import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { readNextOffsets } from '../../consumers/runtime/tables/ledger-account.ts'
import { quoteIdentifier } from '../../infra/postgres/identifiers.ts'
import { readFirstWaiting } from '../../producers/outbox/outbox-backlog.ts'
import { describeError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
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

export interface Recovery {
  tookMs: number
  /** What had something to do and has not moved in time: empty when all is well. */
  stuck: readonly string[]
}

/** Resolves when everything that had something to do has moved, each group in each partition and each outbox, or time is up. */
export async function recover(watched: Watched, withinMs: number, signal: AbortSignal): Promise<Recovery> {
  const from = performance.now()
  let before: Progress | undefined
  let stuck: readonly string[] = []
  for (;;) {
    try {
      const now = await readProgress(watched)
      before ??= now
      stuck = standingStill(before, now)
      if (stuck.length === 0 && now !== before) return { tookMs: performance.now() - from, stuck }
    } catch (error) {
      stuck = [`progress cannot be read: ${describeError(error)}`] // A server may be away for the moment
    }
    const tookMs = performance.now() - from
    if (tookMs >= withinMs || signal.aborted) return { tookMs, stuck }
    await delay(100)
  }
}

function standingStill(before: Progress, now: Progress): string[] {
  const behind = [...before.positions].flatMap(([place, position]) => {
    const end = before.ends.get(place.slice(place.indexOf('/') + 1)) ?? 0
    const reached = now.positions.get(place) ?? 0
    return reached >= end || reached > position ? [] : [`${place} stands at ${reached} of ${end}`]
  })
  const unpublished = [...before.outboxes].flatMap(([lane, seq]) =>
    now.outboxes.get(lane) === seq ? [`${lane} has not published number ${seq}`] : [],
  )
  return [...behind, ...unpublished]
}

async function readProgress({ kafka, pool, groups, topics }: Watched): Promise<Progress> {
  const ranges = await offsetRanges(kafka, topics)
  return {
    ends: new Map(
      [...ranges].flatMap(([topic, partitions]) =>
        partitions.map(({ end }, partition): [string, number] => [`${topic}/${partition}`, end]),
      ),
    ),
    positions: await byService(groups, (schema) => readNextOffsets(pool, schema)),
    outboxes: await byService(['orders', ...groups], (schema) => readFirstWaiting(pool, schema)),
  }
}

/** What each service's schema says, by `service/place`. */
async function byService(
  services: readonly string[],
  read: (schema: string) => Promise<ReadonlyMap<string | number, number>>,
): Promise<Map<string, number>> {
  const found = await Promise.all(
    services.map(async (service) => {
      const places = await read(quoteIdentifier(schemaName('', service)))
      return [...places].map(([place, at]): [string, number] => [`${service}/${place}`, at])
    }),
  )
  return new Map(found.flat())
}
