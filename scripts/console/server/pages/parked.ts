import { createHash } from 'node:crypto'
import { findEvents, parseEventName } from '../../../../consumers/operations/parked/choose-parked.ts'
import { readCauses } from '../../../../consumers/operations/parked/parked-records.ts'
import { editableJson } from '../../../../consumers/operations/parked/read-edit.ts'
import { readParkedLog, showParked } from '../../../../consumers/operations/parked/show-parked.ts'
import type { ShownEvent } from '../../../../consumers/operations/parked/show-parked.ts'
import { listParked } from '../../../../consumers/runtime/tables/parked-list.ts'
import type { ParkedEntry as Entry } from '../../../../consumers/runtime/tables/parked-list.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { hexDump } from '../../../parked/printable.ts'
import type { AuditEntry, ParkedEntry, ParkedEvent, ParkedList, ParkedLog, ParkedPage } from '../../contract/parked.ts'
import type { ConsoleContext } from '../context.ts'
import type { Feed } from '../live/feeds.ts'
import { payloadText } from './payload.ts'

const pageSize = 50

/** Parked events by cause, the events of one cause, one event, and what operators did. */
export function parkedFeeds(context: ConsoleContext): Record<string, Feed> {
  return {
    parked: {
      everyMs: 2_000,
      grows: true,
      async read(): Promise<ParkedPage> {
        const causes = await readCauses(await context.groups())
        return {
          events: causes.reduce((sum, { events }) => sum + events, 0),
          stuck: causes.reduce((sum, { stuck }) => sum + stuck, 0),
          causes: causes.map(({ firstAt, lastAt, oldestId: _oldestId, ...cause }) => ({
            ...cause,
            firstAt: firstAt.toISOString(),
            lastAt: lastAt.toISOString(),
          })),
        }
      },
    },
    'parked-list': {
      everyMs: 3_000,
      grows: true,
      async read(query): Promise<ParkedList> {
        const groups = await context.groups()
        const group = groups.find(({ name }) => name === query.get('group'))
        if (!group) throw new TallyError('USAGE', `There is no consumer "${query.get('group')}" with tables`)
        const [cause, key, upTo] = ['cause', 'key', 'upTo'].map((name) => query.get(name) || undefined)
        const found = await listParked(
          group.pool,
          {
            causes: cause === undefined ? undefined : [cause],
            keys: key === undefined ? undefined : [key],
            upTo: idOf(upTo),
          },
          { limit: pageSize + 1, newestFirst: true },
        )
        const next = found[pageSize]
        return {
          entries: found.slice(0, pageSize).map((entry) => entryJson(group.name, entry)),
          next: next ? String(next.id) : null,
        }
      },
    },
    'parked-event': {
      everyMs: 3_000,
      async read(query, signal): Promise<ParkedEvent> {
        const name = parseEventName(query.get('name') ?? '')
        if (!name)
          throw new TallyError('USAGE', `"${query.get('name')}" is not a parked event: they are named like payment/17`)
        const [event] = await findEvents(await context.groups(), name)
        if (!event) throw new TallyError('USAGE', `${query.get('name')} is not parked`)
        return eventJson(await showParked(context.config, event, signal))
      },
    },
    'parked-log': {
      everyMs: 3_000,
      async read(query): Promise<ParkedLog> {
        const keys = query.get('key') ? [query.get('key') ?? ''] : undefined
        const entries = await readParkedLog(await context.groups(), { keys, limit: 200 })
        return { entries: entries.map(({ group, ...entry }) => auditJson(group, entry)) }
      },
    },
  }
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw new TallyError('USAGE', `There is no page of parked events "${text}"`)
  return Number(text)
}

const entryJson = (group: string, entry: Entry): ParkedEntry => ({
  name: `${group}/${entry.id}`,
  key: entry.key,
  type: entry.type,
  record: entry.record?.replace(/:(?=\d+$)/, '@') ?? null,
  source: entry.source,
  reason: entry.reason,
  error: entry.error,
  attempts: entry.attempts,
  parkedAt: entry.parkedAt.toISOString(),
  nextAttemptAt: entry.nextAttemptAt?.toISOString() ?? null,
  head: `${group}/${entry.head}`,
  behind: entry.behind,
})

const auditJson = (
  group: string,
  { parkedId, at, key, action, actor, why }: Omit<AuditEntry, 'at' | 'event'> & { parkedId: number; at: Date },
): AuditEntry => ({ at: at.toISOString(), event: `${group}/${parkedId}`, key, action, actor, why })

/** Identifies what an operator has seen of an event's contents. */
export const seenOf = (value: Buffer | null): string =>
  createHash('sha256')
    .update(value ?? '')
    .digest('hex')
    .slice(0, 16)

function eventJson({ group, row, value, queue, audit, obstacles, state }: ShownEvent): ParkedEvent {
  const payload = value.kind === 'event' ? value.data : value.kind === 'intent' ? value.json : null
  return {
    name: `${group}/${row.id}`,
    group,
    key: row.key,
    lane: row.lane,
    type: row.type,
    source: row.source,
    reason: row.reason,
    error: row.error,
    stack: row.stack,
    record: row.topic === null ? null : `${row.topic}/${row.partition}@${row.offset}`,
    eventId: row.eventId,
    attempts: row.attempts,
    parkedAt: row.parkedAt.toISOString(),
    lastAttemptAt: row.lastAttemptAt.toISOString(),
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    payload: payloadText(payload),
    unreadable: value.kind === 'bytes' ? value.why : null,
    raw: hexDump(row.value ?? Buffer.alloc(0)),
    bytes: row.value?.length ?? 0,
    editable: row.source === 'timer' ? null : JSON.stringify(editableJson(value), null, 2),
    seen: seenOf(row.value),
    headers: Object.entries(row.headers ?? {}).map(([name, text]) => [
      name,
      typeof text === 'string' ? text : JSON.stringify(text),
    ]),
    queue: queue.slice(0, 100).map((entry) => entryJson(group, entry)),
    audit: audit.map((entry) => auditJson(group, entry)),
    obstacles: obstacles.map(({ why }) => why),
    state: state === undefined ? null : JSON.stringify(state, null, 2),
  }
}
