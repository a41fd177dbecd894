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

/** The progress of the pipeline at one moment. */
interface Progress {
  /** Offset after the last record, by topic and partition. */
  readonly ends: ReadonlyMap<string, number>
  /** Next offset by group, topic and partition. */
  readonly positions: ReadonlyMap<string, number>
  /** Number of the first unpublished row, by writer and lane. */
  readonly outboxes: ReadonlyMap<string, number>
}

export interface Recovery {
  tookMs: number
  /** Partitions and outbox lanes that had work and made no progress; empty if all recovered. */
  stuck: readonly string[]
}

/** Resolves when each group in each partition and each outbox lane that had work has made progress, or after the time limit. */
export async function recover(watched: Watched, withinMs: number, signal: AbortSignal): Promise<Recovery> {
  const from = performance.now()
  let before: Progress | undefined
  let stuck: readonly string[] = []
  for (;;) {
    try {
      const now = await readProgress(watched)
      before ??= now
      stuck = withoutProgress(before, now)
      if (stuck.length === 0 && now !== before) return { tookMs: performance.now() - from, stuck }
    } catch (error) {
      stuck = [`progress cannot be read: ${describeError(error)}`] // A server may be unreachable
    }
    const tookMs = performance.now() - from
    if (tookMs >= withinMs || signal.aborted) return { tookMs, stuck }
    await delay(100)
  }
}

function withoutProgress(before: Progress, now: Progress): string[] {
  const behind = [...before.positions].flatMap(([place, position]) => {
    const end = before.ends.get(place.slice(place.indexOf('/') + 1)) ?? 0
    const reached = now.positions.get(place) ?? 0
    return reached >= end || reached > position ? [] : [`${place} is at ${reached} of ${end}`]
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

/** Queries each service's schema. @returns values by `service/place` */
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
