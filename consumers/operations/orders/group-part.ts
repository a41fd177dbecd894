import type { Pool } from '../../../infra/postgres/pool.ts'
import { callsOfKey } from '../../runtime/tables/call-table.ts'
import type { WaitingCall } from '../../runtime/tables/call-table.ts'
import { readLog } from '../../runtime/tables/audit.ts'
import type { LogEntry } from '../../runtime/tables/audit.ts'
import { readTakenTimes } from '../../runtime/tables/inbox/inbox.ts'
import { readPartition } from '../../runtime/tables/ledger-account.ts'
import type { PartitionReading } from '../../runtime/tables/ledger-account.ts'
import { listParked } from '../../runtime/tables/parked-list.ts'
import type { ParkedEntry } from '../../runtime/tables/parked-list.ts'
import { timersOfKey } from '../../runtime/tables/timer-table.ts'
import type { WaitingTimer } from '../../runtime/tables/timer-table.ts'
import type { Group } from '../groups.ts'
import { conditionOf } from '../lanes/lane-health.ts'
import type { Condition } from '../lanes/lane-health.ts'
import { readLaneRows } from '../lanes/lane-row.ts'
import type { LaneRow } from '../lanes/lane-row.ts'
import type { OpenGroup } from '../parked/parked-groups.ts'
import type { OrderEvent } from './order-event.ts'

/** What one consumer has made of an order so far. */
export interface GroupPart {
  readonly group: string
  /** Types of events it has handlers for. */
  readonly handles: ReadonlySet<string>
  /** The order's lane; undefined if it was never claimed. */
  readonly lane: (LaneRow & { readonly condition: Condition }) | undefined
  /** How far it has read the lane's partition of each topic. */
  readonly reading: readonly PartitionReading[]
  readonly parked: readonly ParkedEntry[]
  /** What was done to events of the order while they were parked, newest first. */
  readonly audit: readonly LogEntry[]
  readonly calls: readonly WaitingCall[]
  readonly timers: readonly WaitingTimer[]
  /** When it processed an event, by the event's inbox id. */
  readonly taken: ReadonlyMap<string, Date>
}

interface PartOptions {
  readonly pool: Pool
  readonly lane: number
  readonly orderId: string
  readonly definition: Group | undefined
}

/** A part before it is known which events the order has. */
export interface PartWithoutTimes {
  /** Places of its parked records; topic without namespace. */
  readonly parkedAt: readonly { readonly topic: string; readonly partition: number; readonly offset: string }[]
  withTaken(events: readonly OrderEvent[]): Promise<GroupPart>
}

/** A part still without `taken`. An array of one, so that a consumer that cannot be read can be left out. */
export async function readPart(
  group: OpenGroup,
  { pool, lane, orderId, definition }: PartOptions,
): Promise<PartWithoutTimes[]> {
  if (!definition) return []
  const [rows, reading, parked, audit, calls, timers] = await Promise.all([
    readLaneRows(pool, definition.schema),
    readPartition(group.pool, lane),
    listParked(group.pool, { keys: [orderId] }, { limit: 1_000 }),
    readLog(group.pool, { keys: [orderId], limit: 100 }),
    callsOfKey(group.pool, lane, orderId),
    timersOfKey(group.pool, lane, orderId),
  ])
  const row = rows.find((each) => each.lane === lane)
  const part = {
    group: group.name,
    handles: definition.handles as ReadonlySet<string>,
    lane: row && { ...row, condition: conditionOf(row) },
    ...{ reading, parked, audit, calls, timers },
  }
  return [
    {
      parkedAt: parked.flatMap(({ record }) => {
        const [, topic, partition, offset] = /^(.+)\/(\d+):(\d+)$/.exec(record ?? '') ?? []
        return topic && partition && offset ? [{ topic, partition: Number(partition), offset }] : []
      }),
      withTaken: async (events) => ({
        ...part,
        taken: await readTakenTimes(
          group.pool,
          events.flatMap(({ inboxId }) => (isUuid(inboxId) ? inboxId : [])),
        ),
      }),
    },
  ]
}

const isUuid = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)
