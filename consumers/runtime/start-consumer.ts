import type { Batch, Kafka } from 'kafkajs'
import type { Config } from '../../infra/config.ts'
import { describeError } from '../../infra/errors.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import type { Pool } from '../../infra/postgres/postgres.ts'
import type { Running } from '../../infra/service.ts'
import { settlesWithin } from '../../infra/settles-within.ts'
import { takingTurns } from '../../infra/taking-turns.ts'
import type { Logger } from '../../infra/logger.ts'
import { readTopicIds } from '../../infra/kafka/topic-ids.ts'
import { Relay } from '../../producers/outbox/relay.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../schemas/topics.ts'
import { BatchGroups } from './batch/batch-groups.ts'
import { Caller } from './lane/caller.ts'
import type { ConsumerDefinition } from './handler.ts'
import { keepInbox } from './tables/inbox-partitions.ts'
import { Lane } from './lane/lane.ts'
import { Membership } from './group/membership.ts'
import { FailureBreaker } from './batch/failure-breaker.ts'
import { readRecords } from './batch/read-records.ts'
import type { TopicProgress } from './lane/timer-horizon.ts'
import { TopicOffsets } from './group/topic-offsets.ts'
import { watchDue } from './lane/watch-due.ts'

export interface ConsumerDependencies {
  config: Config
  /** Connections that see the consumer's own schema. */
  pool: Pool
  codec: Codec
  log: Logger
  /** Name of this replica, for people. */
  replica: string
  /** Called when the process must end and be started again. */
  died(reason: string): void
  /** Stands in for Kafka in the simulation. @default Kafka at the configured brokers */
  broker?: { kafka: Kafka; readIds: typeof readTopicIds }
}

/** Records taken in one transaction at most; a batch takes what is there and never waits to fill. */
const recordsPerBatch = 1_000
/** A topic made anew is noticed at the next join, or at the latest after this time. */
const topicIdsEveryMs = 10_000
/** The lanes' next owners wait while this one ends; what it does not publish within this time they will. */
const flushPatienceMs = 500
const watchPatienceMs = 2_000
const connectionsAtOnce = 4

/** Starts one replica of a consumer: joins its group and takes what its lanes bring until it is stopped. */
export async function startConsumer<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  { config, pool, codec, log, replica, died, broker }: ConsumerDependencies,
): Promise<Running> {
  const { namespace, partitions, generation } = config
  const handled = new Set(Object.keys(definition.handlers) as EventType[])
  const topics = [...new Set([...handled].map((type) => inGeneration(topicOf(type).name, generation)))]
  const { brokers } = config.kafka
  const { kafka, readIds } = broker ?? {
    kafka: createKafka({ brokers, clientId: replica, log }),
    readIds: readTopicIds,
  }
  const offsets = await TopicOffsets.open({
    kafka,
    brokers,
    namespace,
    topics,
    partitions,
    begins: definition.begins,
    readIds,
  })
  const relay = new Relay({ kafka, pool, namespace, log })
  const caller = new Caller({ calls: definition.calls ?? {}, pool, log })
  const policy = config.failure
  const breaker = new FailureBreaker()
  const taking = { definition, pool, codec, breaker, policy, owner: replica, generation }
  const groups = new BatchGroups(taking)
  const inTurn = takingTurns()

  const membership: Membership<Lane<State, Row>> = new Membership({
    kafka,
    groupId: `${namespace}${definition.group}`,
    namespace,
    topics,
    partitions,
    sessionTimeoutMs: config.kafka.sessionTimeoutMs,
    log,
    died,
    joining: () => void offsets.refresh(),
    passedOver: (...stretch) => offsets.passOver(...stretch),
    take,
    claim: (number) =>
      new Lane(number, {
        ...taking,
        groups,
        inTurn,
        relay,
        caller,
        log,
        topicStarts: (lane) => offsets.starts(lane),
        readOn: (lane) => membership.readOn(lane),
        pauseFetching: (lane) => membership.pauseFetching(lane),
      }),
  })

  /** Takes one fetched batch of one topic: in order, in transactions of bounded size, from exactly where the ledger stands. */
  function take(
    lane: Lane<State, Row>,
    batch: Batch,
    wanted: () => boolean,
    reached: (offset: number) => Promise<void>,
  ): Promise<void> {
    return lane.serially(async () => {
      const topic = batch.topic.slice(namespace.length)
      const position = lane.position(topic)
      if (lane.phase !== 'live' || position === undefined) return
      if (!offsets.follows(topic, batch, position)) {
        const lost = await offsets.explainGap(topic, batch.partition, position).catch((error: unknown) => {
          log.warn(
            { lane: lane.number, topic, position, error: describeError(error) },
            'gap not explained, reading again',
          )
        })
        if (!lost) return membership.seek(lane, topic)
        const cure = Number.isFinite(lane.end(topic))
          ? '; cancelling the replay that takes them again has it go on'
          : ''
        return lane.halt(`${lost}${cure}`)
      }
      const end = Math.min(Number(batch.lastOffset()) + 1, lane.end(topic))
      const messages = batch.messages.filter(({ offset }) => Number(offset) >= position && Number(offset) < end)
      const topicId = offsets.topicId(topic)
      // The first part in any case: a batch that waited long for its lane would otherwise starve behind busier topics
      for (let from = position, start = 0; from < end && (start === 0 || wanted()); ) {
        const size = Math.min(recordsPerBatch, lane.limit)
        const part = messages.slice(start, start + size)
        const to = start + size < messages.length ? Number(part.at(-1)?.offset) + 1 : end
        const read = async (killer?: string) => {
          await offsets.settled(topic)
          const again = Number.isFinite(lane.end(topic))
          const source = { codec, handled, partitions, topic, topicId, partition: batch.partition, again, killer }
          return readRecords(part, from, to, source)
        }
        const request = { name: `${topic}/${part[0]?.offset ?? from}`, inputs: part.length, read }
        if (!lane.taking || !(await lane.take(request))) return
        start += size
        from = to
        await reached(to - 1)
      }
    })
  }

  const stopInbox = keepInbox(pool, log)
  const idWatch = setInterval(() => void offsets.refresh(), topicIdsEveryMs)
  const timers = definition.timers !== undefined
  const progress: TopicProgress = {
    ends: () => offsets.ends(),
    taken(number, topic, offset) {
      const position = membership.lanes.get(number)?.position(topic)
      return position !== undefined && offsets.beyondPassed(topic, number, position) >= offset
    },
  }
  const stopWatching = watchDue({
    pool,
    codec,
    partitions,
    timers,
    lanes: membership.lanes,
    progress,
    log,
  })
  await openConnections(pool)
  await membership.start()
  return {
    async stop() {
      caller.stop()
      stopInbox()
      clearInterval(idWatch)
      await Promise.all([membership.quiesce(), settlesWithin(stopWatching(), watchPatienceMs)])
      await relay.flush(flushPatienceMs)
      await membership.leave()
      await relay.stop()
    },
  }
}

/** A lane that moves here waits for its claim, and should not wait for connections, too. */
const openConnections = (pool: Pool): Promise<unknown> =>
  Promise.all(
    Array.from({ length: connectionsAtOnce }, () =>
      pool.connect().then(
        (client) => client.release(),
        () => {}, // Claims find out, and try again
      ),
    ),
  )
