import { countParked, listParked } from '../../consumers/operations/parked/list-parked.ts'
import type { ParkedCount, ParkedEntry } from '../../consumers/operations/parked/list-parked.ts'
import { printJson, printTable } from '../cli/command.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { cut, nextAttempt, printable, since } from './printable.ts'

export type GroupCount = ParkedCount & { group: string }
export type GroupEntry = ParkedEntry & { group: string }

/** How many are meant, by group and reason. */
export const countChosen = async (chosen: readonly Chosen[]): Promise<GroupCount[]> =>
  (
    await Promise.all(
      chosen.map(async ({ lot: { group, pool }, selection }) =>
        (await countParked(pool, selection)).map((count) => ({ group, ...count })),
      ),
    )
  ).flat()

/** The oldest (or newest) of what is meant, over all groups. */
export async function listChosen(
  chosen: readonly Chosen[],
  { limit, newest = false }: { limit: number; newest?: boolean },
): Promise<GroupEntry[]> {
  const entries = await Promise.all(
    chosen.map(async ({ lot: { group, pool }, selection }) =>
      (await listParked(pool, selection, { limit, newestFirst: newest })).map((entry) => ({ group, ...entry })),
    ),
  )
  const sign = newest ? -1 : 1
  return entries
    .flat()
    .sort((a, b) => sign * (a.parkedAt.getTime() - b.parkedAt.getTime() || a.id - b.id))
    .slice(0, limit)
}

export const totalOf = (counts: readonly ParkedCount[]): number => counts.reduce((sum, { events }) => sum + events, 0)

export interface ListOptions {
  limit: number
  newest?: boolean
  json?: boolean
}

export async function ls(chosen: readonly Chosen[], { limit, newest, json }: ListOptions): Promise<void> {
  const counts = await countChosen(chosen)
  const entries = await listChosen(chosen, { limit, newest })
  if (json) return printJson({ counts: counts.map(({ lastId: _lastId, ...count }) => count), events: entries })
  const total = totalOf(counts)
  if (total === 0) return void process.stdout.write('Nothing is parked\n')
  if (total > entries.length) {
    printCounts(counts)
    const which = newest ? 'newest' : 'oldest'
    process.stdout.write(`\nThe ${which} ${entries.length.toLocaleString('en')} of ${total.toLocaleString('en')}:\n\n`)
  }
  printEntries(entries)
}

export function printCounts(counts: readonly GroupCount[]): void {
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

const unwatchedWidth = 100

/** What went wrong gets the room the other columns leave. */
export function printEntries(entries: readonly GroupEntry[]): void {
  const head = ['Event', 'Lane', 'Key', 'Type', 'Reason', 'Tried', 'Age', 'Next attempt', 'Error']
  const rows = entries.map(
    ({ group, id, lane, key, type, source, reason, error, attempts, parkedAt, nextAttemptAt, head: first }) => [
      `${group}/${id}`,
      lane,
      cut(printable(key), 40),
      printable(type ?? `unknown ${source}`),
      reason,
      attempts,
      since(parkedAt),
      first === id ? nextAttempt(nextAttemptAt) : `behind ${first}`,
      printable(error?.split('\n', 1)[0] ?? ''),
    ],
  )
  const widths = head
    .slice(0, -1)
    .map((name, column) => Math.max(name.length, ...rows.map((row) => String(row[column]).length)) + 2)
  const taken = widths.reduce((sum, width) => sum + width, 0)
  const room = process.stdout.isTTY ? Math.max(20, process.stdout.columns - taken - 1) : unwatchedWidth
  printTable(
    head,
    rows.map((row) => [...row.slice(0, -1), cut(String(row.at(-1)), room)]),
  )
}
