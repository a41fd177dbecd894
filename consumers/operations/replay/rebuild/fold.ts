import { lastMs } from '../../../../infra/monitor/tracer.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { readDecisions } from '../reading/operator-decisions.ts'
import type { Decisions } from '../reading/operator-decisions.ts'
import type { ReplayRun } from '../mode.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import type { UnreadRange } from '../reading/range-source.ts'
import { readStretches } from '../reading/read-stretches.ts'
import type { RangeSource } from '../reading/read-stretches.ts'
import { recordReplayed } from '../replay-spans.ts'
import { LaneFold } from './fold-lane.ts'
import type { FoldContext } from './fold-lane.ts'
import { readFolded, readSeen } from './fold-tables.ts'
import type { FoldPosition } from './fold-tables.ts'

/** Maximum number of records per transaction. */
const atOnce = 4_000
/** Lanes in parallel: the database works for one while records of another are read. */
const lanesAtOnce = 3
/** Approximate read-ahead of one lane: more would cost the garbage collector more than it saves. */
const bufferBytes = 2 ** 22

/** Tables aside and their positions. After a failure, open a new one. */
export class Fold {
  private readonly context: FoldContext
  private readonly run: ReplayRun
  private readonly aside: Pool
  private readonly lanes = new Map<number, Promise<LaneFold>>()
  private readonly folded: Map<string, FoldPosition>

  static async open(context: FoldContext, run: ReplayRun, aside: Pool): Promise<Fold> {
    return new Fold(context, run, aside, await readFolded(aside))
  }

  private constructor(context: FoldContext, run: ReplayRun, aside: Pool, folded: readonly FoldPosition[]) {
    this.context = context
    this.run = run
    this.aside = aside
    this.folded = new Map(folded.map((position) => [placeOf(position), position]))
  }

  get positions(): FoldPosition[] {
    return [...this.folded.values()]
  }

  /** Offsets left up to these positions. */
  left(targets: readonly FoldPosition[]): number {
    return this.unread(targets).reduce((sum, { next, to }) => sum + to - next, 0)
  }

  /**
   * Folds up to these positions.
   * @param tx a transaction that sees the group's tables, too; without it, folds in many transactions of its own
   * @throws TallyError EVENTS_GONE, UNREACHABLE, HANDLER_FAILED if an event cannot be handled; the run's reason to stop
   */
  async upTo(targets: readonly FoldPosition[], tx?: Tx): Promise<void> {
    const ranges = this.unread(targets)
    if (ranges.length === 0) return
    // Read after the targets: events that are no longer parked are decided
    const decisions = await readDecisions(
      tx ?? this.context.pool,
      ranges.map(({ next: from, ...range }) => ({ ...range, from })),
    )
    const stopping = new AbortController()
    const signal = AbortSignal.any([this.run.signal, stopping.signal])
    // While the lanes are paused, there is only time for one connection
    await using shared = tx && (await openSource(this.context, ranges, signal))
    const waiting = [...Map.groupBy(ranges, ({ partition }) => partition)]
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [lane, ofLane] = next
        if (shared) await this.foldLane(lane, { ranges: ofLane, source: shared, decisions, signal, tx })
        else {
          await using source = await openSource(this.context, ofLane, signal, bufferBytes)
          await this.foldLane(lane, { ranges: ofLane, source, decisions, signal })
        }
      }
    }
    const workers = Array.from({ length: tx ? 1 : lanesAtOnce }, () => work().catch((error) => stopping.abort(error)))
    await Promise.all(workers)
    stopping.signal.throwIfAborted()
  }

  /** Loads the state of every lane before the lanes are paused. */
  async prepare(): Promise<void> {
    for (const lane of new Set(this.positions.map(({ partition }) => partition))) await this.laneFold(lane)
  }

  private async foldLane(lane: number, { ranges, source, decisions, signal, tx }: LaneWork): Promise<void> {
    const fold = await this.laneFold(lane)
    const stretches = readStretches(source, ranges, {
      atOnce: () => (tx ? atOnce : this.run.atOnce(atOnce)),
      ...choosing({}, this.context.codec),
    })
    for await (const stretch of stretches) {
      signal.throwIfAborted()
      if (stretch.advances.length === 0) continue
      const steps = await fold.read(stretch, decisions)
      if (!tx) await this.run.pace(stretch.chosen.length)
      const began = performance.now()
      const handled = tx
        ? await fold.take(tx, stretch, steps)
        : await inTransaction(this.aside, (own) => fold.take(own, stretch, steps))
      recordReplayed(this.context.tracer, this.run, handled, lastMs(performance.now() - began))
      for (const position of stretch.advances) this.folded.set(placeOf(position), position)
    }
  }

  private laneFold(lane: number): Promise<LaneFold> {
    const made =
      this.lanes.get(lane) ??
      readSeen(this.aside, lane).then((seen) => new LaneFold(this.context, this.run, lane, seen))
    this.lanes.set(lane, made)
    return made
  }

  private unread(targets: readonly FoldPosition[]): UnreadRange[] {
    return targets.flatMap(({ topic, partition, next: to }) => {
      const next = this.folded.get(placeOf({ topic, partition }))?.next ?? 0
      return next < to ? { topic, partition, next, to } : []
    })
  }
}

interface LaneWork {
  readonly ranges: readonly UnreadRange[]
  readonly source: RangeSource
  readonly decisions: Decisions
  readonly signal: AbortSignal
  readonly tx?: Tx
}

const placeOf = ({ topic, partition }: Pick<FoldPosition, 'topic' | 'partition'>): string => `${topic}/${partition}`
