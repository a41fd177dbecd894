import type { ReplayContext, RunOptions } from './mode.ts'
import type { Plan } from './plan.ts'
import { groupStanding } from './reading/group-standing.ts'

/** Options that were given although a mode does not support them, a sentence each. @param why the mode has no such option */
export const inapplicable = (
  options: RunOptions,
  names: readonly (keyof RunOptions)[],
  mode: Plan['mode'],
  why: string,
): string[] =>
  names
    .filter((name) => options[name] && options[name] !== 'same')
    .map((name) => `${name} does not apply to ${mode}: ${why}`)

/** Selected events that today's reader schemas cannot read, a sentence for each schema. */
export const unreadableEvents = ({ schemas }: Pick<Plan, 'schemas'>): string[] =>
  schemas.flatMap(({ id, records, unreadable }) =>
    unreadable !== null && records > 0
      ? [`${records} events have schema ${id}, which cannot be read: ${unreadable}`]
      : [],
  )

/** Ranges that the group has not read to their ends yet, a sentence each. */
export async function notReached({ pool }: ReplayContext, { group, partitions }: Plan): Promise<string[]> {
  const standing = await groupStanding(pool, partitions)
  return partitions.flatMap(({ topic, partition, from, to }) => {
    const place = `${topic}/${partition}`
    const position = standing.get(place) ?? 0
    return from < to && position < to ? [`${group} has read ${place} up to offset ${position} only, not to ${to}`] : []
  })
}
