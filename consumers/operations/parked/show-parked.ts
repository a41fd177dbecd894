import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { loadConsumer } from '../../runtime/load-consumer.ts'
import { readAudit, readLog } from '../../runtime/tables/audit.ts'
import type { AuditEntry, LogEntry, LogFilter } from '../../runtime/tables/audit.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { connectCodecIfThere } from '../connect-codec.ts'
import type { ChosenEvent } from './choose-parked.ts'
import type { OpenGroup } from './parked-groups.ts'
import { laneObstacles } from './lane-obstacles.ts'
import type { LaneObstacle } from './lane-obstacles.ts'
import { listParked, readParked } from '../../runtime/tables/parked-list.ts'
import type { ParkedEntry } from '../../runtime/tables/parked-list.ts'
import { readValue } from './read-value.ts'
import type { ReadableValue } from './read-value.ts'

/** All details of one parked event. */
export interface ShownEvent {
  readonly group: string
  readonly row: ParkedRow
  readonly value: ReadableValue
  /** The key's parked events, this one included, in order; at most 1000. */
  readonly queue: readonly ParkedEntry[]
  readonly audit: readonly AuditEntry[]
  readonly obstacles: readonly LaneObstacle[]
  /** The key's row as the consumer sees it; undefined if there is none. */
  readonly state: unknown
}

/** @throws TallyError USAGE if the event is no longer parked */
export async function showParked(
  config: Config,
  { group: { name, pool }, id }: ChosenEvent,
  signal: AbortSignal,
): Promise<ShownEvent> {
  const row = await readParked(pool, id)
  if (!row) throw new TallyError('USAGE', `${name}/${id} is no longer parked`)
  const codec = await connectCodecIfThere(config, signal)
  const { state: table } = await loadConsumer(name, config)
  return {
    group: name,
    row,
    value: await readValue(row, codec),
    queue: await listParked(pool, { keys: [row.key] }, { limit: 1_000 }),
    audit: await readAudit(pool, [id]),
    obstacles: await laneObstacles(pool, [row.lane]),
    state: (await table.load(pool, [row.key])).get(row.key),
  }
}

/** An act on a parked event of a group. */
export type GroupLogEntry = LogEntry & { readonly group: string }

/** Actions of operators and lanes' owners on parked events, newest first. */
export async function readParkedLog(groups: readonly OpenGroup[], filter: LogFilter): Promise<GroupLogEntry[]> {
  const entries = await Promise.all(
    groups.map(async ({ name, pool }) => (await readLog(pool, filter)).map((entry) => ({ group: name, ...entry }))),
  )
  return entries
    .flat()
    .toSorted((a, b) => b.at.getTime() - a.at.getTime() || b.id - a.id)
    .slice(0, filter.limit)
}
