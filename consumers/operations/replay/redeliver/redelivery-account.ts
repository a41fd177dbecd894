import type { Tx } from '../../../../infra/postgres/transaction.ts'
import type { Figures, ReplayPartition, ReplayRun } from '../mode.ts'
import { readRedelivered } from '../../../runtime/tables/ledger-account.ts'

const counted = ['taken', 'duplicates', 'ignored', 'parked'] as const

/** Transfers the ledger's figures of a redelivery to the replay, each record once. */
export class RedeliveryAccount {
  /** Offsets received again so far, over all partitions. */
  offsets = 0
  private readonly run: ReplayRun
  private figures: Figures
  private ranges: readonly ReplayPartition[]

  constructor(run: ReplayRun) {
    this.run = run
    this.figures = run.figures
    this.ranges = run.partitions
  }

  /** @returns the unfinished ranges */
  async settle(tx: Tx): Promise<ReplayPartition[]> {
    const spans = await readRedelivered(tx, this.run.id)
    const byPlace = new Map(spans.map((span) => [`${span.topic}/${span.partition}`, span]))
    const ranges = this.ranges.map((range) => {
      const span = byPlace.get(`${range.topic}/${range.partition}`)
      if (!span) return range
      const records = span.taken + span.duplicates + span.ignored + span.parked
      return { ...range, next: span.next, scanned: records, selected: records }
    })
    const advances = ranges.flatMap(({ topic, partition, next, scanned, selected }, index) => {
      const before = this.ranges[index]!
      if (before.next === next) return []
      return [{ topic, partition, next, scanned: scanned - before.scanned, selected: selected - before.selected }]
    })
    const totals = counted.map((name) => [name, spans.reduce((sum, span) => sum + span[name], 0)] as const)
    const added = totals.map(([name, total]) => [name, total - (this.figures[name] ?? 0)] as const)
    await this.run.advance(tx, advances, Object.fromEntries(added))
    this.ranges = ranges
    this.figures = Object.fromEntries(totals)
    this.offsets = ranges.reduce((sum, { from, next }) => sum + next - from, 0)
    return ranges.filter(({ next, to }) => next < to)
  }
}
