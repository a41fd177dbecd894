import { optionName } from '../../../infra/text/option-name.ts'
import { countDroppedHeads } from '../../runtime/tables/audit.ts'
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
    .map((name) => `${optionName(name)} does not apply to ${mode}: ${why}`)

/** What only a copy can be asked. */
export const noCopy = (options: RunOptions, mode: Plan['mode']): string[] =>
  inapplicable(options, ['createTopic'], mode, 'it writes to no other topic')

/** Selected events that today's reader schemas cannot read, a sentence for each schema. */
export const unreadableEvents = ({ schemas }: Pick<Plan, 'schemas'>): string[] =>
  schemas.flatMap(({ id, records, unreadable }) =>
    unreadable !== null && records > 0
      ? [`${records} events have schema ${id}, which cannot be read: ${unreadable}`]
      : [],
  )

/**
 * The same without those that operators dropped in this group: they took no effect, and a replay passes them over as it
 * passes over all dropped events.
 */
export async function unreadableAndUndecided(
  { pool, codec }: Pick<ReplayContext, 'pool' | 'codec'>,
  { schemas, partitions }: Pick<Plan, 'schemas' | 'partitions'>,
): Promise<string[]> {
  if (unreadableEvents({ schemas }).length === 0) return []
  const dropped = new Map<number, number>()
  for (const { head, records } of await countDroppedHeads(pool, partitions)) {
    const id = codec.schemaIdOf(head)
    if (id !== undefined) dropped.set(id, (dropped.get(id) ?? 0) + records)
  }
  return unreadableEvents({
    schemas: schemas.map((schema) => ({ ...schema, records: schema.records - (dropped.get(schema.id) ?? 0) })),
  })
}

/** Ranges that the group has not read to their ends yet, a sentence each. */
export async function notReached({ pool }: ReplayContext, { group, partitions }: Plan): Promise<string[]> {
  const standing = await groupStanding(pool, partitions)
  return partitions.flatMap(({ topic, partition, from, to }) => {
    const place = `${topic}/${partition}`
    const position = standing.get(place) ?? 0
    return from < to && position < to ? [`${group} has read ${place} up to offset ${position} only, not to ${to}`] : []
  })
}

const freshMs = 10 * 60_000

/**
 * Whether a plan was made only now: its counts then say what the inbox still knows, whatever times the records state. A
 * record may state any time, and one of them must not make a whole range too old.
 * @param now UTC epoch ms
 */
export const isFresh = ({ createdAt }: Pick<Plan, 'createdAt'>, now: number): boolean =>
  now - Date.parse(createdAt) <= freshMs
