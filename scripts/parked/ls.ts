import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { countChosen, listRecords, totalOf } from '../../consumers/operations/parked/parked-records.ts'
import type { GroupCount, GroupEntry, ParkedRecord } from '../../consumers/operations/parked/parked-records.ts'
import { printJson, printTable } from '../cli/command.ts'
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
  const total = totalOf(counts)
  if (total === 0) return void process.stdout.write('Nothing is parked\n')
  if (total > records.reduce((sum, { events }) => sum + events.length, 0)) {
    printCounts(counts)
    process.stdout.write(`\nThe ${newest ? 'newest' : 'oldest'} ${count(records.length, 'record')}:\n\n`)
  }
  printRecords(records)
}

function printCounts(counts: readonly GroupCount[]): void {
  printTable(
    ['Group', 'Reason', 'Events', 'Keys', 'Wait for you', 'Oldest'],
    counts.map(({ group, reason, events, heads, waitForPerson, oldest }) => [
      group,
      reason,
      events,
      heads,
      waitForPerson,
      since(oldest),
    ]),
  )
}

/** `payment/17`, as the commands take it. */
export const namesOf = (events: readonly GroupEntry[]): string[] => events.map(({ group, id }) => `${group}/${id}`)

function printRecords(records: readonly ParkedRecord[]): void {
  printTable(
    ['Record', 'Parked as', 'Key', 'Type', 'Reason', 'Tried', 'Age', 'Next attempt', 'Error'],
    records.map(({ record, key, type, source, parkedAt, events }) => [
      record ?? source,
      namesOf(events).join(', '),
      cut(printable(key), 40),
      printable(type ?? `unknown ${source}`),
      distinct(events.map(({ reason }) => reason)),
      Math.max(...events.map(({ attempts }) => attempts)),
      since(parkedAt),
      distinct(
        events.map(({ id, head, nextAttemptAt }) => (head === id ? nextAttempt(nextAttemptAt) : `behind ${head}`)),
      ),
      cut(
        distinct(events.flatMap(({ error }) => (error === null ? [] : printable(error.split('\n', 1)[0] ?? '')))),
        200,
      ),
    ]),
  )
}

const distinct = (texts: readonly string[]): string => [...new Set(texts)].join(', ')
