import { databaseTime } from '../../../../infra/postgres/database-time.ts'
import { rememberedMs, rememberedWeeks } from '../../../runtime/tables/inbox/weeks.ts'
import type { Effects } from '../../../runtime/handler.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { isFresh, noCopy, notReached, unreadableEvents } from '../preconditions.ts'

/** Unmet preconditions for handling these events again, a sentence each. */
export async function reprocessPreconditions(
  context: ReplayContext,
  plan: Plan,
  options: RunOptions,
): Promise<string[]> {
  if (!context.definition) return ['reprocess needs a group: its handlers are run again']
  return [
    ...noCopy(options, 'reprocess'),
    ...actsOutside(context.definition, options),
    ...tooOld(plan, await databaseTime(context.pool)),
    ...(options.acceptUnreadable || options.skipFailed ? [] : unreadableEvents(plan)),
    ...(await notReached(context, plan)),
  ]
}

interface Acting {
  readonly group: string
  readonly effects?: Effects
  readonly calls?: Readonly<Record<string, { readonly idempotent?: boolean }>>
}

/** The effect of a call cannot be undone, so it may be repeated only if the other side recognizes its key. */
export function actsOutside(
  { group, effects = 'external', calls = {} }: Acting,
  { allowExternal }: RunOptions,
): string[] {
  if (effects !== 'external') return []
  const unsafe = Object.keys(calls).filter((kind) => !calls[kind]?.idempotent)
  if (unsafe.length > 0) {
    const [what, is] = unsafe.length === 1 ? ['call', 'is'] : ['calls', 'are']
    return [
      `${group} acts on the outside world, and its ${what} ${unsafe.join(', ')} ${is} not declared idempotent: repeated, it would happen twice`,
    ]
  }
  if (allowExternal) return []
  return [
    `${group} acts on the outside world: its calls would be repeated with their original keys; --allow-external permits that`,
  ]
}

/**
 * The results of old events are new to consumers whose inbox no longer knows them.
 * @param now UTC epoch ms
 */
export function tooOld(plan: Plan, now: number): string[] {
  const horizon = now - rememberedMs
  return plan.partitions.flatMap(({ topic, partition, firstTime, forgotten }) => {
    const place = `${topic}/${partition}`
    if (forgotten > 0)
      return [`${place}: the inbox has forgotten ${forgotten} of these events, so others have forgotten what followed`]
    if (firstTime === null || firstTime >= horizon || isFresh(plan, now)) return []
    const when = new Date(firstTime).toISOString()
    return [
      `${place} begins at ${when}: inboxes remember ${rememberedWeeks} weeks, and may have forgotten what follows from older events since the plan was made: make a new plan`,
    ]
  })
}
