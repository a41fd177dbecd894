import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { countChosen, listRecords, totalOf } from '../../consumers/operations/parked/parked-records.ts'
import type { GroupCount, GroupEntry, ParkedRecord } from '../../consumers/operations/parked/parked-records.ts'
import { printJson } from '../cli/command.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import type { Table } from '../cli/table.ts'
import { count } from '../cli/figures.ts'
import { cut, nextAttempt, printable, since } from './printable.ts'

export interface ListOptions {
  limit: number
  newest?: boolean
  json?: boolean
}

export async function ls(chosen: readonly Chosen[], { limit, newest, json }: ListOptions): Promise<void> {
  const counts = await countChosen(chosen)
  const records = await listRecords(chosen, { limit, newest })
  if (json) return printJson({ counts: counts.map(({ lastId: _lastId, ...each }) => each), records })
  printReport(listReport(counts, records, { newest }))
}

/** How many events are parked, and the oldest or newest records; what went wrong stands below each of them. */
export function listReport(
  counts: readonly GroupCount[],
  records: readonly ParkedRecord[],
  { newest = false }: { newest?: boolean } = {},
): Report {
  const total = totalOf(counts)
  if (total === 0) return { verdict: 'Nothing is parked.' }
  const waiting = counts.reduce((sum, { waitForPerson }) => sum + waitForPerson, 0)
  const all = total === records.reduce((sum, { events }) => sum + events.length, 0)
  const [first] = records.flatMap(({ events }) => namesOf(events))
  return {
    verdict: `${count(total, 'event')} ${total === 1 ? 'is' : 'are'} parked; ${
      waiting === 0 ? 'all are retried automatically' : `${count(waiting)} wait for an operator`
    }.${all ? '' : ` Below: the ${newest ? 'newest' : 'oldest'} ${count(records.length, 'record')}.`}`,
    parts: [all ? undefined : countsTable(counts), recordsTable(records)],
    next: first && [`npm run parked -- show ${first}`, `npm run parked -- redrive ${first} --dry-run`],
  }
}

const countsTable = (counts: readonly GroupCount[]): Table => ({
  head: ['group', 'reason', 'events', 'keys', 'for operator', 'oldest'],
  rows: counts.map(({ group, reason, events, heads, waitForPerson, oldest }) => [
    ...[group, reason, events, heads, waitForPerson, since(oldest)],
  ]),
})

/** `payment/17`, as the commands take it. */
export const namesOf = (events: readonly Pick<GroupEntry, 'group' | 'id'>[]): string[] =>
  events.map(({ group, id }) => `${group}/${id}`)

const recordsTable = (records: readonly ParkedRecord[]): Table => ({
  head: ['parked as', 'reason', 'age', 'next attempt', 'tried', 'record', 'type', 'key', 'error'],
  rows: records.map(({ record, key, type, source, parkedAt, events }) => [
    namesOf(events).join(', '),
    distinct(events.map(({ reason }) => reason)),
    since(parkedAt),
    distinct(
      events.map(({ id, head, nextAttemptAt }) => (head === id ? nextAttempt(nextAttemptAt) : `behind ${head}`)),
    ),
    Math.max(...events.map(({ attempts }) => attempts)),
    record ?? source,
    printable(type ?? `unknown ${source}`),
    cut(printable(key), 40),
    cut(distinct(events.flatMap(({ error }) => (error === null ? [] : printable(error.split('\n', 1)[0] ?? '')))), 200),
  ]),
})

const distinct = (texts: readonly string[]): string => [...new Set(texts)].join(', ')
