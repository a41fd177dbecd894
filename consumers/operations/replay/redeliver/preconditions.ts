import { databaseTime } from '../../../../infra/postgres/database-time.ts'
import { rememberedMs, rememberedWeeks } from '../../../runtime/tables/inbox/weeks.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { inapplicable, isFresh, noCopy, notReached, unreadableAndUndecided } from '../preconditions.ts'

/** Unmet preconditions for moving the group back, a sentence each. */
export async function redeliveryPreconditions(
  context: ReplayContext,
  plan: Plan,
  options: RunOptions,
): Promise<string[]> {
  return [
    ...noCopy(options, 'redeliver'),
    ...inapplicable(
      options,
      ['rate', 'max', 'skipFailed', 'allowExternal', 'emit'],
      'redeliver',
      "the group's own replicas process the events like all others",
    ),
    ...beyondInbox(plan, await databaseTime(context.pool)),
    ...(options.acceptUnreadable ? [] : await unreadableAndUndecided(context, plan)),
    ...(await notReached(context, plan)),
  ]
}

/**
 * Events the inbox may have forgotten would take effect twice.
 * @param now UTC epoch ms
 */
export function beyondInbox(plan: Plan, now: number): string[] {
  const horizon = now - rememberedMs
  return plan.partitions.flatMap(({ topic, partition, firstTime, forgotten }) => {
    const place = `${topic}/${partition}`
    if (forgotten > 0)
      return [`${place}: the inbox has forgotten ${forgotten} of these events, they would take effect twice`]
    if (firstTime === null || firstTime >= horizon || isFresh(plan, now)) return []
    const when = new Date(firstTime).toISOString()
    return [
      `${place} begins at ${when}: the inbox remembers ${rememberedWeeks} weeks, and may have forgotten older events since the plan was made: make a new plan`,
    ]
  })
}
