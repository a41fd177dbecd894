import type { KafkaMessage } from 'kafkajs'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { databaseTime } from '../../../../infra/postgres/database-time.ts'
import { rememberedMs } from '../../../runtime/tables/inbox/weeks.ts'
import { readRecords } from '../../../runtime/batch/read-records.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan, PlanPartition } from '../plan.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import type { RangeSource } from '../reading/read-stretches.ts'
import type { PinnedRange } from './resolve-ranges.ts'
import { unknownEvents } from './unknown-events.ts'

/** The contents of ranges. */
export interface Scan {
  readonly partitions: readonly PlanPartition[]
  /** Selected records by schema id. */
  readonly schemas: ReadonlyMap<number, number>
  /** Selected records without a schema id, or with an unknown id beyond the first 1000 unknown ones. */
  readonly unframed: number
}

export interface ScanOptions extends Pick<Plan, 'selector' | 'topics'> {
  readonly signal: AbortSignal
  /** @param offsets read so far */
  onProgress?(offsets: number): void
}

type Context = Pick<ReplayContext, 'kafka' | 'config' | 'codec' | 'pool' | 'definition'>

/** The largest distance of a date from 1970, epoch ms; a record may state any time. */
const furthestDate = 8.64e15
/** Records per inbox query. */
const chunk = 5_000
/** Ranges are read one after the other, so reading far ahead has no use. */
const readAhead = 2 ** 23
/** Garbage can contain as many schema ids as records; the plan does not list them all. */
const unknownSchemasAtMost = 1_000

/**
 * Reads ranges once and counts their contents. Memory does not grow with the ranges.
 * @throws TallyError EVENTS_GONE if retention deletes them meanwhile, UNREACHABLE; the signal's reason
 */
export async function scanRanges(
  context: Context,
  ranges: readonly PinnedRange[],
  options: ScanOptions,
): Promise<Scan> {
  const unread = ranges.map(({ topic, partition, from: next, to }) => ({ topic, partition, next, to }))
  await using source = await openSource(context, unread, options.signal, readAhead)
  const scan = new RangeScan(context, options, (await databaseTime(context.pool)) - rememberedMs)
  const partitions: PlanPartition[] = []
  for (const range of ranges) partitions.push(await scan.read(source, range))
  return { partitions, schemas: scan.schemas, unframed: scan.unframed }
}

type Counts = { -readonly [K in Exclude<keyof PlanPartition, keyof PinnedRange>]: PlanPartition[K] }

class RangeScan {
  readonly schemas = new Map<number, number>()
  unframed = 0
  private unknownSchemas = 0
  private offsets = 0
  private readonly context: Context
  private readonly options: ScanOptions
  private readonly handled: ReadonlySet<EventType> | undefined
  private readonly choosing: ReturnType<typeof choosing>
  /** The inbox may no longer know records older than this, UTC epoch ms. */
  private readonly horizon: number

  constructor(context: Context, options: ScanOptions, horizon: number) {
    this.context = context
    this.horizon = horizon
    this.options = options
    this.handled = context.definition && new Set(Object.keys(context.definition.handlers) as EventType[])
    this.choosing = choosing(options.selector, context.codec)
  }

  async read(source: RangeSource, range: PinnedRange): Promise<PlanPartition> {
    const { topic, partition } = range
    const counts: Counts = {
      scanned: 0,
      selected: 0,
      bytes: 0,
      firstTime: null,
      lastTime: null,
      handled: 0,
      known: 0,
      forgotten: 0,
    }
    let at = range.from
    for (let piece; at < range.to && (piece = await source.next(topic, partition)); at = piece.to) {
      for (let first = 0; first < piece.records.length; first += chunk)
        await this.count(range, counts, piece.records.slice(first, first + chunk))
      this.options.onProgress?.((this.offsets += piece.to - at))
    }
    return { ...range, ...counts }
  }

  private async count(range: PinnedRange, counts: Counts, records: readonly KafkaMessage[]): Promise<void> {
    await this.choosing.learn(records)
    const selected = records.filter((message) => this.choosing.isChosen(message))
    counts.scanned += records.length
    counts.selected += selected.length
    for (const message of selected) {
      const time = Math.max(-furthestDate, Math.min(Number(message.timestamp), furthestDate))
      counts.bytes += bytesOf(message)
      counts.firstTime = Math.min(counts.firstTime ?? time, time)
      counts.lastTime = Math.max(counts.lastTime ?? time, time)
      this.countSchema(message)
    }
    if (this.handled) await this.countHandled(this.handled, range, counts, selected)
    else counts.handled += selected.length
  }

  private countSchema({ value }: KafkaMessage): void {
    const { codec } = this.context
    const id = codec.schemaIdOf(value)
    const before = id === undefined ? undefined : this.schemas.get(id)
    const isNew = id !== undefined && before === undefined
    const unknown = isNew && codec.typeOf(id) === undefined
    if (id === undefined || (unknown && this.unknownSchemas >= unknownSchemasAtMost)) {
      this.unframed++
      return
    }
    if (unknown) this.unknownSchemas++
    this.schemas.set(id, (before ?? 0) + 1)
  }

  private async countHandled(
    handled: ReadonlySet<EventType>,
    { topic, partition, position }: PinnedRange,
    counts: Counts,
    selected: readonly KafkaMessage[],
  ): Promise<void> {
    const { codec, config, pool } = this.context
    const topicId = this.options.topics.find((each) => each.topic === topic)?.topicId ?? undefined
    const source = { codec, handled, partitions: config.partitions, topic, topicId, partition }
    const { inputs } = await readRecords(selected, 0, selected.length, source)
    const unknown = await unknownEvents(pool, inputs)
    counts.handled += inputs.length
    counts.known += inputs.length - unknown.length
    counts.forgotten += unknown.filter(
      ({ offset, message }) => offset < (position ?? 0) && Number(message.timestamp) < this.horizon,
    ).length
  }
}

/** A repeated header may have null values, which the type of kafkajs does not allow. */
type HeaderValue = string | Buffer | null | undefined

/** Runs for each record of a range, so it allocates nothing. */
function bytesOf({ key, value, headers = {} }: KafkaMessage): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const name in headers) {
    const values = headers[name] as HeaderValue | HeaderValue[]
    for (const one of Array.isArray(values) ? values : [values])
      bytes += name.length + (typeof one === 'string' ? Buffer.byteLength(one) : (one?.length ?? 0))
  }
  return bytes
}
