import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { readTopicIds } from '../../../infra/kafka/topic-ids.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { insertSpans, moveLedger, readPositions } from '../../runtime/tables/ledger.ts'
import { noteSkipped } from '../../runtime/tables/skipped-table.ts'
import type { LossCause } from '../../runtime/tables/skipped-table.ts'
import type { Group } from '../groups.ts'
import { inGroupSchema } from './in-group-schema.ts'
import type { SkippedBy } from './skip-offsets.ts'
import { readTopicEnds } from './topic-ends.ts'

/** What one lane has lost in one topic. */
export interface Loss {
  readonly topic: string
  readonly partition: number
  readonly cause: LossCause
  /** Where the lane stands. */
  readonly position: number
  /** Unread records that are gone; undefined if it is unknown how many. */
  readonly unread: number | undefined
  /** Where the lane resumes. */
  readonly resumeAt: number
}

/** The broker's side: the partitions as they are now, and the topics' ids. */
export interface BrokerState {
  /** @returns undefined if there is no such partition */
  extent(topic: string, partition: number): { readonly low: number; readonly end: number } | undefined
  topicId(topic: string): string | undefined
}

/** @throws TallyError UNREACHABLE; errors of kafkajs */
export async function readBrokerState(config: Config, topics: readonly string[]): Promise<BrokerState> {
  const onBroker = (topic: string) => `${config.namespace}${topic}`
  const [ids, ends] = await Promise.all([
    readTopicIds(connectKafka('lanes', config), topics.map(onBroker)),
    readTopicEnds(config, topics, () => false),
  ])
  return {
    extent: (topic, partition) => ends.get(topic)?.get(partition),
    topicId: (topic) => ids.get(onBroker(topic)),
  }
}

/** What a lane has lost now; empty if it can resume. @throws TallyError PRECONDITION_FAILED */
export const findLosses = (pool: Pool, group: Group, lane: number, broker: BrokerState): Promise<Loss[]> =>
  inGroupSchema(pool, group, (tx) => lossesOf(tx, group, lane, broker))

/**
 * Accepts the loss of records that a lane had not read: moves it to the first offset that the broker has, and records
 * the loss. Takes the lane from its owner, which claims it again within seconds and resumes.
 * @returns what was accepted; empty if nothing is lost (any more)
 * @throws TallyError PRECONDITION_FAILED if a topic is missing, or the lane processes offsets again for a replay
 */
export const acceptLoss = (
  pool: Pool,
  group: Group,
  lane: number,
  broker: BrokerState,
  by: SkippedBy,
): Promise<Loss[]> =>
  inGroupSchema(pool, group, async (tx) => {
    if ((await lossesOf(tx, group, lane, broker)).length === 0) return []
    const own = { lane, epoch: await raiseEpoch(tx, lane, `accept-loss by ${by.actor}`) }
    const losses = await lossesOf(tx, group, lane, broker) // Its owner may have moved it until now
    for (const { topic, cause, position, resumeAt } of losses) {
      const topicId = broker.topicId(topic) ?? ''
      const noted = { topic, partition: lane, cause, from: position, ...by }
      if (cause === 'deleted') {
        await insertSpans(tx, own, [{ topic, topicId, position: { offset: position } }])
        const outcome = { taken: 0, duplicates: 0, ignored: 0, parked: 0, holes: resumeAt - position }
        await moveLedger(tx, [{ own, topic, from: position, to: resumeAt, ...outcome }])
        await noteSkipped(tx, own, { ...noted, to: resumeAt })
      } else {
        await insertSpans(tx, own, [{ topic, topicId, position: { offset: resumeAt } }])
        await noteSkipped(tx, own, { ...noted, to: position, resumeAt })
      }
    }
    return losses
  })

async function lossesOf(tx: Tx, group: Group, lane: number, broker: BrokerState): Promise<Loss[]> {
  const standing = await readPositions(tx, lane, [...group.topics])
  return standing.flatMap(({ topic, topicId, position: { offset: position, again } }) => {
    const place = `${topic}/${lane}`
    const extent = broker.extent(topic, lane)
    if (!extent)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `${place}: the broker has no such partition: create it first with \`npm run deploy\``,
      )
    const id = broker.topicId(topic)
    const { low, end } = extent
    const recreated = topicId !== '' && id !== undefined && topicId !== id
    if (!recreated && position >= low && position <= end) return []
    if (again)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `${place}: ${group.name} processes it again for replay ${again.replay}: cancel the replay first, npm run replay -- cancel ${again.replay}`,
      )
    const at = { topic, partition: lane, position }
    if (recreated) return { ...at, cause: 'recreated' as const, unread: undefined, resumeAt: low }
    if (position < low) return { ...at, cause: 'deleted' as const, unread: low - position, resumeAt: low }
    return { ...at, cause: 'truncated' as const, unread: undefined, resumeAt: end }
  })
}
