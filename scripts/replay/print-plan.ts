import type { Config } from '../../infra/config.ts'
import { modes } from '../../consumers/operations/replay/run/modes.ts'
import type { Plan, PlanPartition } from '../../consumers/operations/replay/plan.ts'
import { printTable } from '../cli/command.ts'
import { printable } from '../parked/printable.ts'
import { count } from './figures.ts'

/** A plan for people. @param csv the file its beginnings were written to */
export function printPlan(plan: Plan, config: Config, csv?: string): void {
  printRanges(plan)
  const notes = notesOf(plan)
  if (plan.schemas.length > 0) printSchemas(plan)
  const lines = [
    ...notes,
    '',
    modes[plan.mode].describe(plan),
    ...(plan.group === null ? [] : ['', ...elsewhere(plan, config, csv)]),
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function printRanges({ partitions, group }: Plan): void {
  const sum = (of: 'scanned' | 'selected' | 'bytes' | 'lost' | 'handled' | 'known') =>
    partitions.reduce((total, range) => total + range[of], 0)
  const times = partitions.flatMap(({ firstTime, lastTime }) => (firstTime === null ? [] : [firstTime, lastTime ?? 0]))
  const all = {
    scanned: sum('scanned'),
    selected: sum('selected'),
    bytes: sum('bytes'),
    lost: sum('lost'),
    handled: sum('handled'),
    known: sum('known'),
    firstTime: times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : null,
    lastTime: times.length > 0 ? times.reduce((a, b) => Math.max(a, b)) : null,
  }
  const cells = (range: typeof all) => [
    range.scanned,
    range.selected,
    range.bytes,
    timeOf(range.firstTime),
    timeOf(range.lastTime),
    range.lost,
    ...(group === null ? [] : [range.handled, range.known]),
  ]
  printTable(
    [
      'Partition',
      'From',
      'To',
      'Records',
      'Chosen',
      'Bytes',
      'First',
      'Last',
      'Lost',
      ...(group === null ? [] : ['Handled', 'Taken']),
    ],
    [
      ...partitions.map((range) => [placeOf(range), String(range.from), String(range.to), ...cells(range)]),
      ...(partitions.length > 1 ? [['all', '', '', ...cells(all)]] : []),
    ],
  )
}

function printSchemas({ schemas }: Plan): void {
  process.stdout.write('\n')
  printTable(
    ['Schema', 'Event', 'Chosen', 'Parked', 'Outbox', 'Today'],
    schemas.map(({ id, type, records, parked, outbox, unreadable }) => [
      String(id),
      type ?? 'unknown',
      records,
      parked,
      outbox,
      unreadable === null ? 'readable' : `UNREADABLE: ${printable(unreadable)}`,
    ]),
  )
}

/** What the tables do not say by themselves. */
function notesOf({ partitions, group, unframed, parkedEvents }: Plan): string[] {
  const begun = partitions.filter(({ from, low }) => low > 0 && from === low)
  const forgotten = partitions.reduce((sum, range) => sum + range.forgotten, 0)
  const notes = [
    ...(begun.length > 0 ? [`${list(begun)}: begins at the first offset retention has left`] : []),
    ...(unframed > 0 ? [`${count(unframed, 'record')} without a schema that is known: nobody can read them`] : []),
    ...(forgotten > 0 ? [`${count(forgotten, 'event')} ${group} has taken, but its inbox has forgotten`] : []),
    ...(parkedEvents > 0 ? [`${count(parkedEvents, 'event')} of ${group} parked at this moment`] : []),
  ]
  return notes.length > 0 ? ['', ...notes] : []
}

/** How it would be done without us, for those who know that. */
function elsewhere({ group }: Plan, { namespace, kafka }: Config, csv: string | undefined): string[] {
  const file = csv ?? 'offsets.csv'
  const server = `--bootstrap-server ${kafka.brokers.join(',')}`
  return [
    `The same beginnings for Kafka's own tool${csv === undefined ? ` (--csv ${file} writes the file)` : ''}:`,
    `  kafka-consumer-groups.sh ${server} --group ${namespace}${group} --reset-offsets --from-file ${file} --dry-run`,
    "It would not move the replicas: Tally's groups keep their positions in PostgreSQL, with the effects.",
  ]
}

/** `topic,partition,offset` a line, names as on the broker: what `kafka-consumer-groups --from-file` reads. */
export const offsetsCsv = ({ partitions, cluster }: Pick<Plan, 'partitions' | 'cluster'>): string =>
  partitions.map(({ topic, partition, from }) => `${cluster.namespace}${topic},${partition},${from}\n`).join('')

const placeOf = ({ topic, partition }: PlanPartition): string => `${topic}/${partition}`

const named = 3
const list = (ranges: readonly PlanPartition[]): string =>
  ranges.slice(0, named).map(placeOf).join(', ') + (ranges.length > named ? ` and ${ranges.length - named} more` : '')

const timeOf = (time: number | null): string => (time === null ? '' : new Date(time).toISOString().slice(0, 19) + 'Z')
