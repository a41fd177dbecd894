import { rememberedWeeks } from '../../../runtime/tables/inbox-partitions.ts'
import { readPositions } from '../../../runtime/tables/ledger.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'

const weekMs = 7 * 24 * 3_600_000

/** What speaks against moving the group back now, a sentence each. */
export async function redeliveryPreconditions(
  context: ReplayContext,
  plan: Plan,
  options: RunOptions,
): Promise<string[]> {
  return [
    ...inapplicable(options),
    ...beyondInbox(plan, Date.now()),
    ...unreadable(plan, options),
    ...(await notReached(context, plan)),
  ]
}

function inapplicable(options: RunOptions): string[] {
  const given = (['rate', 'max', 'skipFailed', 'allowExternal', 'emit'] as const).filter(
    (name) => options[name] && options[name] !== 'same',
  )
  return given.map(
    (name) => `${name} does not apply to redeliver: the group's own replicas take the events, as they take all others`,
  )
}

/**
 * Events the inbox may have forgotten would take effect twice.
 * @param now UTC epoch ms
 */
export function beyondInbox({ partitions }: Plan, now: number): string[] {
  const horizon = now - rememberedWeeks * weekMs
  return partitions.flatMap(({ topic, partition, firstTime, forgotten }) => {
    const place = `${topic}/${partition}`
    if (forgotten > 0)
      return [`${place}: the inbox has forgotten ${forgotten} of these events, they would take effect twice`]
    if (firstTime === null || firstTime >= horizon) return []
    const when = new Date(firstTime).toISOString()
    return [
      `${place} begins at ${when}: the inbox remembers ${rememberedWeeks} weeks, older events would take effect twice`,
    ]
  })
}

function unreadable({ schemas }: Plan, { acceptUnreadable }: RunOptions): string[] {
  if (acceptUnreadable) return []
  return schemas.flatMap(({ id, records, unreadable: why }) =>
    why !== null && records > 0 ? [`${records} events have schema ${id}, which cannot be read: ${why}`] : [],
  )
}

/** Ranges the group has not read to their ends yet, a sentence each. */
export async function notReached({ pool }: ReplayContext, { group, partitions }: Plan): Promise<string[]> {
  const reached = new Map<string, number>()
  for (const [lane, ranges] of Map.groupBy(partitions, ({ partition }) => partition)) {
    const topics = ranges.map(({ topic }) => topic)
    for (const { topic, position } of await readPositions(pool, lane, topics))
      reached.set(`${topic}/${lane}`, position.again?.resumeAt ?? position.offset)
  }
  return partitions.flatMap(({ topic, partition, from, to }) => {
    const place = `${topic}/${partition}`
    const position = reached.get(place) ?? 0
    return from < to && position < to ? [`${group} has read ${place} up to offset ${position} only, not to ${to}`] : []
  })
}
