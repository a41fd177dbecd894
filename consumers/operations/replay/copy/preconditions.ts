import { withAdmin } from '../../../../infra/kafka/admin.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { topics } from '../../../../schemas/topics.ts'
import { databaseTime } from '../../../../infra/postgres/database-time.ts'
import { rememberedMs, rememberedWeeks } from '../../../runtime/tables/inbox/weeks.ts'
import type { ReplayContext, RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { inapplicable } from '../preconditions.ts'

/** Unmet preconditions for the copy, a sentence each. */
export async function copyPreconditions(context: ReplayContext, plan: Plan, options: RunOptions): Promise<string[]> {
  const { toTopic, partitions } = plan
  if (toTopic === null) return ['copy needs a topic to write to']
  if (partitions.some(({ topic }) => topic === toTopic))
    return [`${toTopic} is read from: it cannot be copied onto itself`]
  if (!/^[\w.-]{1,200}$/.test(toTopic) || /^\.+$/.test(toTopic))
    return [`"${toTopic}" is no name of a topic: letters, digits, ".", "_" and "-" make one`]
  return [
    ...inapplicable(options, ['skipFailed', 'allowExternal', 'emit'], 'copy', 'nothing is handled'),
    ...readByConsumers(toTopic, plan, await databaseTime(context.pool)),
    ...(options.createTopic ? ofPipeline(toTopic) : await missing(context, toTopic)),
  ]
}

/**
 * Consumers process copies in a topic of the pipeline like any event: their inboxes must still know the originals, and the
 * topic must carry such events.
 * @param now UTC epoch ms
 */
export function readByConsumers(toTopic: string, { partitions, schemas, unframed }: Plan, now: number): string[] {
  const own = topics.find(({ name }) => name === toTopic)
  if (!own) return []
  const belongs = (type: string | null) => (own.events as readonly EventType[]).some((event) => event === type)
  const strangers = schemas
    .filter(({ records, type }) => records > 0 && !belongs(type))
    .map(({ type, id }) => type ?? id)
  const first = Math.min(...partitions.map(({ firstTime }) => firstTime ?? Infinity))
  return [
    ...(strangers.length + unframed > 0
      ? [`${toTopic} carries ${own.events.join(', ')} only; its consumers would park what else is copied there`]
      : []),
    ...(first < now - rememberedMs
      ? [
          `the events begin at ${new Date(first).toISOString()}: the consumers of ${toTopic} remember ${rememberedWeeks} weeks, older events would take effect twice`,
        ]
      : []),
  ]
}

/** `deploy` and changes of the partitions create these, with other settings. */
const ofPipeline = (toTopic: string): string[] =>
  topics.some(({ name }) => name === toTopic.replace(/\.g\d+$/, ''))
    ? [`--create-topic creates no topic of the pipeline, as ${toTopic} is one`]
    : []

async function missing({ kafka, config }: ReplayContext, toTopic: string): Promise<string[]> {
  const name = `${config.namespace}${toTopic}`
  if ((await withAdmin(kafka, (admin) => admin.listTopics())).includes(name)) return []
  return [
    `there is no topic ${name}: \`npm run replay -- run\` makes it with --create-topic, with ${config.partitions} partitions`,
  ]
}
