import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { readAudit } from '../../consumers/runtime/tables/audit.ts'
import type { AuditEntry } from '../../consumers/runtime/tables/audit.ts'
import { readValue } from '../../consumers/operations/parked/read-value.ts'
import type { ReadableValue } from '../../consumers/operations/parked/read-value.ts'
import { laneObstacles } from '../../consumers/operations/parked/lane-obstacles.ts'
import type { LaneObstacle } from '../../consumers/operations/parked/lane-obstacles.ts'
import { listParked, readParked } from '../../consumers/operations/parked/list-parked.ts'
import type { ParkedEntry } from '../../consumers/operations/parked/list-parked.ts'
import type { ParkedRow } from '../../consumers/runtime/tables/parked-row.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { printJson } from '../cli/command.ts'
import type { Lot } from '../../consumers/operations/parked/choose-parked.ts'
import { hexDump, indented, nextAttempt, printable, printableLines, since } from './printable.ts'
import { connectCodecIfThere } from '../../consumers/operations/connect-codec.ts'

/** Everything that is known of one parked event. */
interface Shown {
  row: ParkedRow
  value: ReadableValue
  /** The key's parked events, this one included, in order. */
  queue: ParkedEntry[]
  audit: AuditEntry[]
  obstacles: LaneObstacle[]
  /** The key's row as the consumer sees it; undefined if it has none. */
  state: unknown
}

const queueShown = 20

export async function show(
  config: Config,
  { lot, id }: { lot: Lot; id: number },
  { json }: { json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const shown = await look(config, lot, id, signal)
  if (json) printJson(jsonOf(lot, shown))
  else process.stdout.write(`${sections(lot.group, shown).join('\n\n')}\n`)
}

async function look(config: Config, { group, pool }: Lot, id: number, signal: AbortSignal): Promise<Shown> {
  const row = await readParked(pool, id)
  if (!row) throw new TallyError('PRECONDITION_FAILED', `${group}/${id} has just left the parking lot`)
  const codec = await connectCodecIfThere(config, signal)
  const { state: table } = await loadConsumer(group, config)
  return {
    row,
    value: await readValue(row, codec),
    queue: await listParked(pool, { keys: [row.key] }, { limit: 1_000 }),
    audit: await readAudit(pool, [id]),
    obstacles: await laneObstacles(pool, [row.lane]),
    state: (await table.load(pool, [row.key])).get(row.key),
  }
}

function jsonOf({ group }: Lot, { row, value, queue, audit, obstacles, state }: Shown): object {
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

function sections(group: string, { row, value, queue, audit, obstacles, state }: Shown): string[] {
  const headers = Object.entries(row.headers ?? {})
  const ahead = queue.filter(({ id }) => id < row.id).length
  const behind = queue.filter(({ id }) => id > row.id)
  const more = behind.length > queueShown ? [`  … and ${behind.length - queueShown} more`] : []
  return [
    facts(group, row, ahead, obstacles),
    valueOf(value),
    ...(headers.length > 0
      ? [`Headers\n${headers.map(([name, text]) => `  ${printable(name)}: ${printable(textOf(text))}`).join('\n')}`]
      : []),
    ...(row.stack ? [`Stack\n${printableLines(row.stack).replaceAll(/^/gm, '  ')}`] : []),
    `State of ${printable(row.key)} in ${group}\n${state === undefined ? '  none yet' : indented(state)}`,
    [
      behind.length === 0 ? 'Nothing waits behind it' : `Behind it: ${behind.length}`,
      ...behind
        .slice(0, queueShown)
        .map(({ id, type, place, source }) => `  ${group}/${id} ${type ?? 'unknown'} (${place ?? source})`),
      ...more,
    ].join('\n'),
    ...(audit.length > 0
      ? [
          `Done so far\n${audit.map(({ at, action, actor, why }) => `  ${at.toISOString()} ${action} by ${actor}${why ? `: ${printable(why)}` : ''}`).join('\n')}`,
        ]
      : []),
  ]
}

function facts(group: string, row: ParkedRow, ahead: number, obstacles: readonly LaneObstacle[]): string {
  const { id, key, type, source, lane, reason, error, topic, partition, offset, eventId, recordTime } = row
  const place = topic === null ? `the ${source} of a ${type}` : `${topic}/${partition} offset ${offset}`
  const next = ahead > 0 ? `behind ${ahead} of its key` : nextAttempt(row.nextAttemptAt)
  const times = row.attempts === 1 ? 'once' : `${row.attempts} times`
  const tried = row.attempts === 0 ? 'never tried' : `tried ${times}, last ${since(row.lastAttemptAt)} ago`
  const facts = [
    ['Key', key],
    ['Lane', `${lane}${obstacles.map(({ why }) => `, ${why}`).join('')}`],
    ['Reason', error === null ? reason : `${reason}: ${error}`],
    ['Place', place],
    ['Event id', eventId],
    ['Time', recordTime === null ? 'not of a record' : new Date(recordTime).toISOString()],
    ['Parked', `${since(row.parkedAt)} ago, ${tried}`],
    ['Next attempt', next],
  ] as const
  return [
    `${group}/${id} ${type ?? `unknown ${source}`}`,
    ...facts.map(([name, text]) => `  ${name.padEnd(13)} ${printable(text)}`),
  ].join('\n')
}

function valueOf(value: ReadableValue): string {
  if (value.kind === 'event')
    return `Event, as today's schema reads it\n${indented({ type: value.type, data: value.data })}`
  if (value.kind === 'intent') return `Value\n${indented(value.json)}`
  return `Value: cannot be read, ${printable(value.why)}\n${hexDump(value.bytes)}`
}

const textOf = (header: unknown): string => (typeof header === 'string' ? header : JSON.stringify(header))
