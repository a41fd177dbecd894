import { totalmem } from 'node:os'
import type { Config } from '../../../../infra/config.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { inapplicable, noCopy, notReached, unreadableAndUndecided } from '../preconditions.ts'
import { keptOf } from './beginnings.ts'
import { bytesForIds } from './id-set.ts'
import type { FoldPosition } from './fold-tables.ts'
import { totalParked } from '../../../runtime/tables/parked-figures.ts'

/**
 * Unmet preconditions for rebuilding the group's tables, a sentence each. Events may be old: a rebuild does not use the
 * inbox.
 */
export async function rebuildPreconditions(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]> {
  const { definition, pool } = context
  if (!definition) return ['rebuild needs a group: its tables are rebuilt']
  const acting = actsOtherwise(definition)
  if (acting.length > 0) return acting
  return [
    ...noCopy(options, 'rebuild'),
    ...inapplicable(
      options,
      ['skipFailed', 'allowExternal', 'emit'],
      'rebuild',
      'tables that lack an event are not swapped in',
    ),
    ...((await isResumed(context, plan)) ? [] : incomplete(plan, await keptOf({ ...context, definition }), options)),
    ...(options.acceptLost ? [] : beforeTheCut(context.config)),
    ...(options.acceptUnreadable ? [] : await unreadableAndUndecided(context, plan)),
    ...tooLarge(plan.partitions),
    ...stillParked(definition.group, await totalParked(pool)),
    ...(await notReached(context, plan)),
  ]
}

type Acting = Pick<ConsumerDefinition<unknown, unknown>, 'group' | 'effects' | 'calls' | 'timers' | 'shared'>

/** A consumer's tables can be rebuilt only if they are a function of its events, key by key. */
export function actsOtherwise({ group, effects = 'external', calls, timers, shared }: Acting): string[] {
  if (effects !== 'none')
    return [`${group} does more than write its own tables: folding its events again cannot stand for what it did`]
  const with_ = [calls && 'calls', timers && 'timers', shared && 'rows that lanes share'].filter(Boolean)
  return with_.length > 0
    ? [`${group} has ${with_.join(' and ')}: only state that derives from events alone can be rebuilt`]
    : []
}

/** @param kept partitions of the topics the group reads, and the first offset kept of each */
export function incomplete(
  { selector, partitions, topics }: Pick<Plan, 'selector' | 'partitions' | 'topics'>,
  kept: readonly FoldPosition[],
  { acceptLost }: Pick<RunOptions, 'acceptLost'>,
): string[] {
  const chosen = Object.values(selector).some((condition) => condition !== undefined)
  const missing = new Set(kept.flatMap(({ topic }) => (topics.some((planned) => planned.topic === topic) ? [] : topic)))
  return [
    ...(chosen ? ['the plan chooses events: tables can only be rebuilt from all of them'] : []),
    ...[...missing].map((topic) => `the plan leaves out topic ${topic}: the tables would lack its events`),
    ...partitions.flatMap(({ topic, partition, from, low }) =>
      from > low
        ? [`${topic}/${partition} begins at offset ${from}, not at ${low}: the tables would lack what lies before`]
        : [],
    ),
    ...(acceptLost ? [] : beginningsLost(kept)),
  ]
}

const beginningsLost = (kept: readonly FoldPosition[]): string[] =>
  [...Map.groupBy(kept, ({ topic }) => topic)].flatMap(([topic, ofTopic]) =>
    ofTopic.some(({ next }) => next > 0)
      ? [
          `retention has deleted the first events of ${topic}: their effects would be missing from the tables (--accept-lost runs it anyway)`,
        ]
      : [],
  )

/** A rebuild reads the topics the group reads now. */
const beforeTheCut = ({ generation }: Pick<Config, 'generation'>): string[] =>
  generation === 1
    ? []
    : [
        'events from before the change of the partition count are in other topics: their effects would be missing from the tables (--accept-lost runs it anyway)',
      ]

/**
 * A rebuild keeps the ids of all events in memory to skip duplicates. They may use at most half of the machine's
 * memory; otherwise the process could run out of memory after hours of reading.
 * @param availableBytes memory of this machine, or of this container
 */
export function tooLarge(
  partitions: readonly Pick<Plan['partitions'][number], 'partition' | 'from' | 'to'>[],
  availableBytes = Math.min(process.constrainedMemory() || Infinity, totalmem()),
): string[] {
  const byLane = Map.groupBy(partitions, ({ partition }) => partition)
  const offsets = [...byLane.values()].map((ranges) => ranges.reduce((sum, { from, to }) => sum + to - from, 0))
  const bytes = offsets.reduce((sum, ids) => sum + bytesForIds(ids), 0)
  const most = availableBytes / 2
  if (bytes <= most) return []
  const events = offsets.reduce((sum, ids) => sum + ids, 0)
  const mebibytes = (amount: number) => `${Math.ceil(amount / 2 ** 20).toLocaleString('en')} MiB`
  return [
    `the ids of ${events.toLocaleString('en')} events need up to ${mebibytes(bytes)} of memory, and a rebuild may use ${mebibytes(most)} here: run it on a larger machine`,
  ]
}

const stillParked = (group: string, events: number): string[] =>
  events === 0
    ? []
    : [`${events} events of ${group} are parked: redrive or drop them first, so that it is known what took effect`]

const open = prepared(
  'rebuild_open',
  `select 1 from replay where target = $1 and plan_id = $2 and state in ('running', 'paused', 'stopped')`,
)

/** The ranges of a resumed rebuild begin where it stopped; the events before them are in the tables aside. */
const isResumed = async ({ pool }: ReplayContext, { group, id }: Plan): Promise<boolean> =>
  (await open(pool, group, id)).length > 0
