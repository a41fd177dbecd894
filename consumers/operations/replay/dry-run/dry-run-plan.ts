import { TallyError } from '../../../../infra/errors.ts'
import type { TableChange } from '../../written-rows.ts'
import { takeSome } from '../reading/chosen-sample.ts'
import type { Sampling } from '../reading/chosen-sample.ts'
import { readChosen } from '../reading/chosen-inputs.ts'
import { readDecisions } from '../reading/operator-decisions.ts'
import { withReaders } from './downstream-readers.ts'
import type { Figures, ReplayContext } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import { readStretches } from '../reading/read-stretches.ts'
import type { ChosenRecord } from '../reading/read-stretches.ts'
import { nothing } from './plan-dry-run.ts'
import type { LaneDryRun, PlanDryRun } from './plan-dry-run.ts'
import { dryRunFold, dryRunLane } from './dry-run-lane.ts'

export interface DryRunOptions {
  /** Number of events to try, the earliest first. @default 100 */
  readonly first?: number
  /** Number of events to draw at random instead; the same ones for the same seed. */
  readonly sample?: number
  /** @default 1 */
  readonly seed?: number
}

/** A lane's owner waits during the dry run of its part. */
const atMost = 1_000

/**
 * Applies a plan to some of its events, one lane at a time, and rolls back; see `dryRun`.
 * @throws TallyError USAGE if more than 1000 events are asked for, or the plan has no group; the signal's reason
 */
export async function dryRunPlan(
  context: ReplayContext,
  plan: Plan,
  options: DryRunOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<PlanDryRun> {
  const chosen = await choose(context, plan, samplingOf(options), signal)
  const parts: LaneDryRun[] = []
  for (const [lane, records] of Map.groupBy(chosen, ({ partition }) => partition)) {
    signal.throwIfAborted()
    parts.push(plan.mode === 'copy' ? copied(context, plan, records) : await handled(context, plan, lane, records))
  }
  return {
    selected: plan.partitions.reduce((sum, { selected }) => sum + selected, 0),
    tried: chosen.length,
    figures: sumOf(parts.map(({ figures }) => figures)),
    states: parts.flatMap(({ states }) => states),
    shared: parts.flatMap(({ shared }) => shared),
    tables: sumOfTables(parts.flatMap(({ tables }) => tables)),
    events: await withReaders(
      context.config,
      context.pool,
      parts.flatMap(({ events }) => events),
    ),
    calls: parts.flatMap(({ calls }) => calls),
    timers: parts.flatMap(({ timers }) => timers),
    failures: parts.flatMap(({ failures }) => failures),
    copies: parts.flatMap(({ copies }) => copies),
    left: parts.flatMap(({ left }) => left),
  }
}

function samplingOf({ first, sample, seed = 1 }: DryRunOptions): Sampling {
  const count = sample ?? first ?? 100
  if (count < 1 || count > atMost || !Number.isInteger(count))
    throw new TallyError('USAGE', `1 to ${atMost} events can be tried at once, not ${count}`)
  return sample === undefined ? { first: count } : { sample: count, seed }
}

async function choose(
  context: ReplayContext,
  { partitions, selector }: Plan,
  sampling: Sampling,
  signal: AbortSignal,
): Promise<ChosenRecord[]> {
  const ranges = partitions.map(({ topic, partition, from: next, to }) => ({ topic, partition, next, to }))
  await using source = await openSource(context, ranges, signal)
  const stretches = readStretches(source, ranges, { atOnce: () => atMost, ...choosing(selector, context.codec) })
  return await takeSome(stretches, sampling)
}

async function handled(
  context: ReplayContext,
  plan: Plan,
  lane: number,
  records: readonly ChosenRecord[],
): Promise<LaneDryRun> {
  const { definition, pool, codec } = context
  if (!definition) throw new TallyError('USAGE', `${plan.mode} needs a group`)
  const places = records.map(({ topic, partition, offset }) => ({ topic, partition, from: offset, to: offset + 1 }))
  const steps = await readChosen(context, plan, records, await readDecisions(pool, places))
  const seen = new Set<string>()
  const inputs = steps.flatMap(({ input }) => input ?? [])
  const firsts = inputs.filter(({ inboxId }) => !seen.has(inboxId) && seen.add(inboxId))
  const lanePart =
    plan.mode === 'rebuild'
      ? dryRunFold({ definition, codec }, firsts)
      : await dryRunLane({ definition, pool, codec }, lane, firsts, plan.mode === 'redeliver' ? 'honour' : 'bypass')
  const dropped = steps.filter((step) => step.dropped).length
  const passedOver = {
    repeated: inputs.length - firsts.length,
    dropped,
    ignored: steps.length - inputs.length - dropped,
  }
  return { ...lanePart, figures: { ...lanePart.figures, ...passedOver } }
}

function copied({ codec }: ReplayContext, { toTopic }: Plan, records: readonly ChosenRecord[]): LaneDryRun {
  return {
    ...nothing,
    figures: { copied: records.length },
    copies: records.map(({ topic, partition, offset, message: { key, value } }) => ({
      topic,
      partition,
      offset,
      key: key?.toString('utf8') ?? null,
      type: codec.typeOf(codec.schemaIdOf(value) ?? -1) ?? null,
      bytes: (key?.length ?? 0) + (value?.length ?? 0),
      toTopic: toTopic ?? '',
    })),
  }
}

function sumOf(all: readonly Figures[]): Figures {
  const sums: Record<string, number> = {}
  for (const figures of all) for (const [name, n] of Object.entries(figures)) sums[name] = (sums[name] ?? 0) + n
  return sums
}

const sumOfTables = (changes: readonly TableChange[]): TableChange[] =>
  [...Map.groupBy(changes, ({ table }) => table)].map(([table, each]) => ({
    table,
    inserted: each.reduce((sum, { inserted }) => sum + inserted, 0),
    updated: each.reduce((sum, { updated }) => sum + updated, 0),
    deleted: each.reduce((sum, { deleted }) => sum + deleted, 0),
  }))
