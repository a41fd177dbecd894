import type { Config } from '../../infra/config.ts'
import { modes } from '../../consumers/operations/replay/run/modes.ts'
import type { Plan, PlanPartition } from '../../consumers/operations/replay/plan.ts'
import { bytes, count, firstOf } from '../cli/figures.ts'
import type { Report, Shell } from '../cli/report.ts'
import type { Table } from '../cli/table.ts'
import { printable } from '../parked/printable.ts'

export interface PlanView {
  /** A row per partition instead of one per topic. */
  readonly partitions?: boolean
  readonly config: Pick<Config, 'namespace' | 'kafka'>
  /** The files that the plan and its offsets were written to. */
  readonly out?: string
  readonly csv?: string
  /** Why the plan would be refused as things are. */
  readonly refusals: readonly string[]
}

/** What a plan would replay, and how to run it. */
export function planReport(plan: Plan, { partitions, config, out, csv, refusals }: PlanView): Report {
  const { selected, scanned, bytes: size } = sumOf(plan.partitions)
  const what = `${plan.mode}${plan.group === null ? '' : ` of ${plan.group}`}`
  const file = out === undefined ? 'Nothing was written: add --out plan.json to keep the plan.' : `Written to ${out}.`
  return {
    verdict: `${what}: ${count(selected, 'event')} chosen of ${count(scanned, 'record')}, ${bytes(size)}. ${
      refusals.length > 0 ? 'It would be refused now. ' : ''
    }${file}`,
    parts: [
      refusals.map((reason) => `  - ${reason}`).join('\n'),
      partitions ? partitionsTable(plan) : topicsTable(plan),
      schemasTable(plan),
      notesOf(plan).join('\n'),
      modes[plan.mode].describe(plan),
      ...(plan.group === null ? [] : kafkaTool(plan, config, csv)),
    ],
    next:
      out === undefined || refusals.length > 0 || plan.partitions.every(({ selected }) => selected === 0)
        ? undefined
        : [`npm run replay -- run ${out} --dry-run`, `npm run replay -- run ${out} --why "…"`],
  }
}

type Sums = Pick<
  PlanPartition,
  'scanned' | 'selected' | 'bytes' | 'lost' | 'handled' | 'known' | 'firstTime' | 'lastTime'
>

function sumOf(ranges: readonly PlanPartition[]): Sums {
  const sum = (of: 'scanned' | 'selected' | 'bytes' | 'lost' | 'handled' | 'known') =>
    ranges.reduce((total, range) => total + range[of], 0)
  const times = ranges.flatMap(({ firstTime, lastTime }) => (firstTime === null ? [] : [firstTime, lastTime ?? 0]))
  return {
    ...{ scanned: sum('scanned'), selected: sum('selected'), bytes: sum('bytes'), lost: sum('lost') },
    ...{ handled: sum('handled'), known: sum('known') },
    firstTime: times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : null,
    lastTime: times.length > 0 ? times.reduce((a, b) => Math.max(a, b)) : null,
  }
}

const figures = ({ group }: Plan): string[] => [
  ...['records', 'chosen', 'size', 'lost'],
  ...(group === null ? [] : ['handled', 'known']),
  'written',
]

const figuresOf = ({ group }: Plan, sums: Sums): (string | number)[] => [
  ...[sums.scanned, sums.selected, bytes(sums.bytes), sums.lost],
  ...(group === null ? [] : [sums.handled, sums.known]),
  sums.firstTime === null || sums.lastTime === null ? '' : `${timeOf(sums.firstTime)} to ${timeOf(sums.lastTime)}`,
]

function topicsTable(plan: Plan): Table {
  const topics = [...Map.groupBy(plan.partitions, ({ topic }) => topic)]
  return {
    head: ['topic', 'partitions', ...figures(plan)],
    rows: topics.map(([topic, ranges]) => [topic, ranges.length, ...figuresOf(plan, sumOf(ranges))]),
  }
}

const partitionsTable = (plan: Plan): Table => ({
  head: ['partition', 'from', 'to', ...figures(plan)],
  rows: plan.partitions.map((range) => [
    ...[placeOf(range), String(range.from), String(range.to)],
    ...figuresOf(plan, range),
  ]),
})

const schemasTable = ({ schemas }: Plan): Table => ({
  head: ['schema', 'event', 'chosen', 'parked', 'outbox', 'today'],
  rows: schemas.map(({ id, type, records, parked, outbox, unreadable }) => [
    ...[String(id), type ?? 'unknown', records, parked, outbox],
    unreadable === null ? 'readable' : `UNREADABLE: ${printable(unreadable)}`,
  ]),
})

/** What the tables do not tell. */
function notesOf({ partitions, group, unframed, parkedEvents }: Plan): string[] {
  const begun = partitions.filter(({ from, low }) => low > 0 && from === low)
  const forgotten = partitions.reduce((sum, range) => sum + range.forgotten, 0)
  return [
    ...(begun.length > 0
      ? [`Retention has deleted earlier records of ${firstOf(begun.map(placeOf), namedAtMost).join(', ')}`]
      : []),
    ...(unframed > 0 ? [`${count(unframed, 'record')} without a known schema cannot be read`] : []),
    ...(forgotten > 0 ? [`${count(forgotten, 'event')} processed by ${group} are no longer in its inbox`] : []),
    ...(parkedEvents > 0 ? [`${count(parkedEvents, 'event')} of ${group} are parked`] : []),
  ]
}

const namedAtMost = 3

/** The equivalent command of Kafka's own tool, for comparison. */
function kafkaTool({ group }: Plan, { namespace, kafka }: PlanView['config'], csv?: string): (string | Shell)[] {
  const file = csv ?? 'offsets.csv'
  return [
    `The same offsets for Kafka's own tool${csv === undefined ? ` (--csv ${file} writes the file)` : ''}. It would not move the replicas: Tally's groups keep their positions in PostgreSQL.`,
    {
      command: `kafka-consumer-groups.sh --bootstrap-server ${kafka.brokers.join(',')} --group ${namespace}${group} --reset-offsets --from-file ${file} --dry-run`,
    },
  ]
}

/** `topic,partition,offset` a line, names as on the broker: what `kafka-consumer-groups --from-file` reads. */
export const offsetsCsv = ({ partitions, cluster }: Pick<Plan, 'partitions' | 'cluster'>): string =>
  partitions.map(({ topic, partition, from }) => `${cluster.namespace}${topic},${partition},${from}\n`).join('')

const placeOf = ({ topic, partition }: PlanPartition): string => `${topic}/${partition}`

const timeOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
