import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { Pool } from '../../infra/postgres/pool.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import { readPauses } from '../../consumers/runtime/tables/pause-table.ts'
import type { Group, Writer } from '../../consumers/operations/groups.ts'
import { count } from './finding.ts'
import { offsetRanges } from './read-topics.ts'

export interface Pipeline {
  kafka: Kafka
  pool: Pool
  namespace: string
  orders: Writer
  groups: readonly Group[]
}

/** The acts of operators that keep groups from working, a sentence each. */
export async function readHalts(pool: Pool, groups: readonly Group[]): Promise<string[]> {
  const halts = await Promise.all(
    groups.map(async ({ name, schema }) => {
      const alike = Map.groupBy(await readPauses(pool, schema), ({ actor, reason }) => `${actor}: ${reason}`)
      return [...alike].map(([by, pauses]) => `${name} ${laneRanges(pauses.map(({ lane }) => lane))} paused by ${by}`)
    }),
  )
  return halts.flat()
}

/** The remaining work of one service. */
interface Rest {
  name: string
  outbox: number
  calls: number
  timers: number
  /** Parked events whose next attempt is due within the drain timeout. */
  retries: number
  /** Pending orders that time out within the drain timeout. */
  late: number
  /** Next offset by topic and partition. */
  positions: Record<string, number>
}

/**
 * Waits until the pipeline is idle: outboxes and calls are empty, no timer or retry is due, and every group has read its topics
 * to the end. Later timers count only if they belong to a pending order and are due within the drain timeout: the others
 * belong to orders that have ended, and do nothing.
 * @returns the work that remains after the timeout; empty if there is none
 */
export async function settle(pipeline: Pipeline, withinMs: number, signal?: AbortSignal): Promise<string[]> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const moving = await whatMoves(pipeline, Math.max(0, deadline - performance.now()))
    if (moving.length === 0 || performance.now() >= deadline) return moving
    await delay(Math.min(250, Math.max(0, deadline - performance.now())), undefined, { signal })
  }
}

/**
 * One reading is enough: an event leaves an outbox only when it is on its topic, and the ends of the topics are read after
 * the tables. So if the tables hold no work and their positions are at those ends, nothing was in flight when they were read.
 */
async function whatMoves({ kafka, pool, namespace, orders, groups }: Pipeline, leftMs: number): Promise<string[]> {
  const { rows: rests } = await pool.query<Rest>(
    [restOfWriter(orders), ...groups.map((group) => restOfGroup(group, leftMs))].join(' union all '),
  )
  const topics = [...new Set(groups.flatMap((group) => [...group.topics]))]
  const ranges = await offsetRanges(
    kafka,
    topics.map((topic) => namespace + topic),
  )
  return rests.flatMap(({ name, outbox, calls, timers, retries, late, positions }) => {
    let behind = 0
    for (const topic of groups.find((group) => group.name === name)?.topics ?? []) {
      for (const [partition, { low, end }] of (ranges.get(namespace + topic) ?? []).entries()) {
        behind += Math.max(0, end - (positions[`${topic}/${partition}`] ?? low))
      }
    }
    const parts = [
      ...(behind > 0 ? [`${count(behind)} events behind`] : []),
      ...(outbox > 0 ? [`${count(outbox)} events to publish`] : []),
      ...(calls > 0 ? [`${count(calls)} calls unanswered`] : []),
      ...(timers > 0 ? [`${count(timers)} timers due`] : []),
      ...(retries > 0 ? [`${count(retries)} parked events due for a retry`] : []),
      ...(late > 0 ? [`${count(late)} orders about to time out`] : []),
    ]
    return parts.length > 0 ? [`${name}: ${parts.join(', ')}`] : []
  })
}

const waiting = (schema: string) =>
  `(select coalesce(sum(last_seq - first_seq + 1), 0)::bigint from ${schema}.outbox_batch)`

const restOfWriter = ({ name, schema }: Writer) =>
  `select '${name}' as name, ${waiting(schema)} as outbox, 0::bigint as calls, 0::bigint as timers, 0::bigint as retries, 0::bigint as late, '{}'::json as positions`

const restOfGroup = ({ name, schema }: Group, leftMs: number) =>
  `select '${name}', ${waiting(schema)}, (select count(*) from ${schema}.call),
          (select count(*) from ${schema}.timer where due_at <= now()),
          (select count(*) from ${schema}.parked where next_attempt_at <= now() + ${Math.round(leftMs)} * interval '1 ms'),
          ${name === 'shipping' ? lateOrders(schema, leftMs) : 0},
          (select coalesce(json_object_agg(place, next), '{}') from (
             select distinct on (topic, partition) topic || '/' || partition as place, next_offset as next
             from ${schema}.ledger order by topic, partition, epoch desc) p)`

const lateOrders = (schema: string, leftMs: number) =>
  `(select count(*) from ${schema}.timer join ${schema}.shipment on order_id = key
    where phase = 'gathering' and due_at between now() and now() + ${Math.round(leftMs)} * interval '1 ms')`
