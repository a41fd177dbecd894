import type { ChosenEvent } from '../../consumers/operations/parked/choose-parked.ts'
import type { LaneObstacle } from '../../consumers/operations/parked/lane-obstacles.ts'
import type { ReadableValue } from '../../consumers/operations/parked/read-value.ts'
import { showParked } from '../../consumers/operations/parked/show-parked.ts'
import type { ShownEvent } from '../../consumers/operations/parked/show-parked.ts'
import type { ParkedRow } from '../../consumers/runtime/tables/parked-row.ts'
import type { Config } from '../../infra/config.ts'
import { printJson } from '../cli/command.ts'
import { count, firstOf } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { hexDump, indented, nextAttempt, printable, printableLines, since } from './printable.ts'

const queueShown = 20

/** One JSON line or text for each event. */
export async function show(
  config: Config,
  events: readonly ChosenEvent[],
  { json }: { json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  for (const [at, event] of events.entries()) {
    const shown = await showParked(config, event, signal)
    if (json) printJson(jsonOf(shown))
    else {
      if (at > 0) process.stdout.write('\n')
      printReport(eventReport(shown))
    }
  }
}

function jsonOf({ group, row, value, queue, audit, obstacles, state }: ShownEvent): object {
  const base64 = (bytes: Buffer | null) => bytes?.toString('base64') ?? null
  return {
    group,
    ...row,
    recordKey: base64(row.recordKey),
    value: base64(row.value),
    readable: value.kind === 'bytes' ? { why: value.why } : value,
    queue,
    audit: audit.map((entry) => ({ ...entry, before: base64(entry.before), after: base64(entry.after) })),
    obstacles,
    state: state ?? null,
  }
}

/** Everything about one event: why it is parked, its contents, its key's state and queue, and what was done. */
export function eventReport({ group, row, value, queue, audit, obstacles, state }: ShownEvent): Report {
  const headers = Object.entries(row.headers ?? {})
  const ahead = queue.filter(({ id }) => id < row.id).length
  const behind = queue.filter(({ id }) => id > row.id)
  const name = `${group}/${row.id}`
  const queued = behind.map(
    ({ id, type, place, source }) => `  ${group}/${id} ${type ?? 'unknown'} (${place ?? source})`,
  )
  const acts = audit.map(
    ({ at, action, actor, why }) => `  ${at.toISOString()} ${action} by ${actor}${why ? `: ${printable(why)}` : ''}`,
  )
  return {
    verdict: `${name}, ${row.type ?? `unknown ${row.source}`}, is parked: ${row.reason}${row.error === null ? '' : `: ${printable(row.error)}`}`,
    parts: [
      facts(row, ahead, obstacles),
      valueOf(value),
      headers.length > 0
        ? `Headers\n${headers.map(([header, text]) => `  ${printable(header)}: ${printable(textOf(text))}`).join('\n')}`
        : undefined,
      row.stack ? `Stack\n${printableLines(row.stack).replaceAll(/^/gm, '  ')}` : undefined,
      `State of ${printable(row.key)} in ${group}\n${state === undefined ? '  none yet' : indented(state)}`,
      [
        behind.length === 0 ? 'No event waits behind it' : `Behind it: ${count(behind.length, 'event')}`,
        ...firstOf(queued, queueShown),
      ].join('\n'),
      acts.length > 0 ? `Done so far\n${acts.join('\n')}` : undefined,
    ],
    next: [
      `npm run parked -- redrive ${name} --dry-run`,
      `npm run parked -- edit ${name} --why "…"`,
      `npm run parked -- drop ${name} --why "…"`,
    ],
  }
}

function facts(row: ParkedRow, ahead: number, obstacles: readonly LaneObstacle[]): string {
  const { key, type, source, lane, topic, partition, offset, eventId, recordTime } = row
  const place = topic === null ? `the ${source} of a ${type}` : `${topic}/${partition} offset ${offset}`
  const next = ahead > 0 ? `behind ${ahead} of its key` : nextAttempt(row.nextAttemptAt)
  const times = row.attempts === 1 ? 'once' : `${row.attempts} times`
  const tried = row.attempts === 0 ? 'never tried' : `tried ${times}, last ${since(row.lastAttemptAt)} ago`
  const facts = [
    ['Key', key],
    ['Lane', `${lane}${obstacles.map(({ why }) => `, ${why}`).join('')}`],
    ['Place', place],
    ['Event id', eventId],
    ['Time', recordTime === null ? 'not of a record' : new Date(recordTime).toISOString()],
    ['Parked', `${since(row.parkedAt)} ago, ${tried}`],
    ['Next attempt', next],
  ] as const
  return facts.map(([name, text]) => `  ${name.padEnd(13)} ${printable(text)}`).join('\n')
}

function valueOf(value: ReadableValue): string {
  if (value.kind === 'event')
    return `Event, as today's schema reads it\n${indented({ type: value.type, data: value.data })}`
  if (value.kind === 'intent') return `Value\n${indented(value.json)}`
  return `Value: cannot be read, ${printable(value.why)}\n${hexDump(value.bytes)}`
}

const textOf = (header: unknown): string => (typeof header === 'string' ? header : JSON.stringify(header))
