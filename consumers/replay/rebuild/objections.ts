import { prepared } from '../../../infra/postgres.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { notReached } from '../redelivery-objections.ts'
import { parkedEvents, topicsOf } from './reached.ts'

/** What speaks against filling the group's tables anew now, a sentence each. Old events are no reason: no inbox is asked. */
export async function rebuildObjections(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]> {
  const { definition, pool } = context
  if (!definition) return ['rebuild needs a group: its tables are filled anew']
  const acting = actsOtherwise(definition)
  if (acting.length > 0) return acting
  return [
    ...inapplicable(options),
    ...incomplete(await asBegun(context, plan), topicsOf(definition), options),
    ...unreadable(plan, options),
    ...stillParked(definition.group, await parkedEvents(pool)),
    ...(await notReached(context, plan)),
  ]
}

type Acting = Pick<ConsumerDefinition<unknown, unknown>, 'group' | 'effects' | 'calls' | 'timers' | 'shared'>

/** Its tables must be a function of the events alone, each key's of its lane's. */
export function actsOtherwise({ group, effects = 'external', calls, timers, shared }: Acting): string[] {
  if (effects !== 'none')
    return [`${group} does more than write its own tables: folding its events again cannot stand for what it did`]
  const with_ = [calls && 'calls', timers && 'timers', shared && 'rows that lanes share'].filter(Boolean)
  return with_.length > 0 ? [`${group} has ${with_.join(' and ')}: only what events alone lead to can be rebuilt`] : []
}

function inapplicable(options: RunOptions): string[] {
  const given = (['skipFailed', 'allowExternal', 'emit'] as const).filter(
    (name) => options[name] && options[name] !== 'same',
  )
  return given.map((name) => `${name} does not apply to rebuild: tables that lack an event are not swapped in`)
}

/** @param topics those the group reads */
export function incomplete(
  { selector, partitions }: Pick<Plan, 'selector' | 'partitions'>,
  topics: readonly string[],
  { acceptLost }: Pick<RunOptions, 'acceptLost'>,
): string[] {
  const chosen = Object.values(selector).some((condition) => condition !== undefined)
  const missing = topics.filter((topic) => partitions.every((range) => range.topic !== topic))
  return [
    ...(chosen ? ['the plan chooses events: tables can only be rebuilt from all of them'] : []),
    ...missing.map((topic) => `the plan leaves out topic ${topic}: the tables would lack its events`),
    ...partitions.flatMap(({ topic, partition, from, low }) => {
      const place = `${topic}/${partition}`
      if (from > low)
        return [`${place} begins at offset ${from}, not at ${low}: the tables would lack what lies before`]
      if (from === 0 || acceptLost) return []
      return [
        `${place} begins at offset ${from}: what older events led to would be gone from the tables (--accept-lost goes on all the same)`,
      ]
    }),
  ]
}

function unreadable({ schemas }: Plan, { acceptUnreadable }: RunOptions): string[] {
  if (acceptUnreadable) return []
  return schemas.flatMap(({ id, records, unreadable: why }) =>
    why !== null && records > 0 ? [`${records} events have schema ${id}, which cannot be read: ${why}`] : [],
  )
}

const stillParked = (group: string, events: number): string[] =>
  events === 0
    ? []
    : [`${events} events of ${group} are parked: redrive or drop them first, so that it is known what took effect`]

const openPlan = prepared<{ plan: Plan }>(
  'rebuild_open_plan',
  `select plan from replay where target = $1 and plan_id = $2 and state in ('running', 'paused', 'stopped')`,
)

/** The plan as it was when it began: what a resume is asked about begins where it stands. */
async function asBegun({ pool }: ReplayContext, plan: Plan): Promise<Plan> {
  return (await openPlan(pool, plan.group, plan.id))[0]?.plan ?? plan
}
