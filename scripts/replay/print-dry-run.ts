import type { PlanDryRun, DryRunEvent } from '../../consumers/operations/replay/dry-run/plan-dry-run.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { printJson } from '../cli/command.ts'
import { bytes as sizeOf, count } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { callLine, changeLines, short, tableLine, timerLine } from '../parked/effect-lines.ts'
import { printable } from '../parked/printable.ts'

/** Maximum number printed of each kind; `--json` has all. */
const shownAtMost = 20

export function printDryRun(dryRun: PlanDryRun, codec: Pick<Codec, 'decode'>, json: boolean): void {
  if (json) printJson(jsonOf(dryRun, codec))
  else printReport(planDryRunReport(dryRun, codec))
}

const readable = (codec: Pick<Codec, 'decode'>, { value, ...event }: DryRunEvent) => ({
  ...event,
  data: codec.decode(value).data,
})

const jsonOf = ({ events, ...rest }: PlanDryRun, codec: Pick<Codec, 'decode'>): object => ({
  ...rest,
  events: events.map((event) => readable(codec, event)),
})

/** What a replay would change and send, each kind of thing at most twenty times. */
export function planDryRunReport(dryRun: PlanDryRun, codec: Pick<Codec, 'decode'>): Report {
  const { selected, tried, figures, states, shared, tables, events, calls, timers, failures, copies, left } = dryRun
  const became = Object.entries(figures).flatMap(([name, n]) => (n > 0 ? `${count(n)} ${name}` : []))
  const effects = [
    ...left.map(({ lane, why }) => `  lane ${lane} not tried: ${why}`),
    ...shown('failures', failures, ({ topic, partition, offset, type, key, reason, error }) => [
      `  ${topic}/${partition} offset ${offset} ${type ?? 'unknown'} of key ${printable(key ?? 'none')}: ${reason}: ${printable(error ?? '')}`,
    ]),
    ...shown('rows', states, (row) => changeLines('state of', [row])),
    ...shown('shared rows', shared, (row) => changeLines('shared row', [row])),
    ...tables.map((table) => `  ${tableLine(table)}`),
    ...shown('events', events, (event) => [
      `  event ${event.type} of key ${printable(event.key)} to ${event.topic}, ${readersOf(event)}: ${short(readable(codec, event).data)}`,
    ]),
    ...shown('calls', calls, (call) => [`  ${callLine(call)}`]),
    ...shown('timers', timers, (timer) => [`  ${timerLine(timer)}`]),
    ...shown('copies', copies, ({ topic, partition, offset, type, key, toTopic, bytes }) => [
      `  ${topic}/${partition} offset ${offset} ${type ?? 'unknown'} of key ${printable(key ?? 'none')} to ${toTopic}, ${sizeOf(bytes)}`,
    ]),
  ]
  return {
    verdict: `Dry run of ${count(tried)} of ${count(selected, 'event')}: ${became.join(', ') || 'no effect'}. Nothing was changed, published or called.`,
    parts: [effects.join('\n') || '  No row, event, call or timer would come of it.'],
  }
}

function shown<T>(what: string, all: readonly T[], linesOf: (one: T) => string[]): string[] {
  const rest = all.length - shownAtMost
  return [...all.slice(0, shownAtMost).flatMap(linesOf), ...(rest > 0 ? [`  … and ${count(rest)} more ${what}`] : [])]
}

/** The groups that read the event's type: those that know its id would drop it. */
function readersOf({ readers }: DryRunEvent): string {
  if (readers.length === 0) return 'without a reader'
  const names = (of: DryRunEvent['readers']) => of.map(({ group }) => group).join(', ')
  const known = readers.filter((reader) => reader.known)
  const fresh = readers.filter((reader) => !reader.known)
  return [known.length > 0 ? `known to ${names(known)}` : [], fresh.length > 0 ? `NEW to ${names(fresh)}` : []]
    .flat()
    .join(', ')
}
