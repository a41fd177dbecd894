import type { Meter } from '../../infra/monitor/meters.ts'
import type { Kafka } from 'kafkajs'
import type { Config } from '../../infra/config.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { readTopicIds } from '../../infra/kafka/topic-ids.ts'
import { databaseWrites } from '../../infra/postgres/database-writes.ts'
import { scarcity } from '../../infra/linger/scarcity.ts'
import { Pace } from '../../infra/linger/pace.ts'
import type { Logger } from '../../infra/logger.ts'
import { noNotices } from '../../infra/notices/notices.ts'
import type { Notices } from '../../infra/notices/notices.ts'
import { sendNotice } from '../../infra/notices/send-notice.ts'
import { transactionsAtOnce } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Check } from '../../infra/monitor/monitor.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import type { Running } from '../../infra/service.ts'
import { atMost, settlesWithin, takingTurns } from '../../infra/promises.ts'
import { Relay } from '../../producers/outbox/relay.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../schemas/topics.ts'
import { BatchGroups } from './batch/batch-groups.ts'
import { FailureBreaker } from './batch/failure-breaker.ts'
import { processBatches } from './batch/process-batch.ts'
import { FetchedBatches } from './group/fetched-batch.ts'
import { Membership } from './group/membership.ts'
import { PositionWatch } from './group/position-watch.ts'
import { TopicOffsets } from './group/topic-offsets.ts'
import type { ConsumerDefinition } from './handler.ts'
import { Caller } from './lane/caller.ts'
import { Lane } from './lane/lane.ts'
import type { TopicProgress } from './lane/timer-horizon.ts'
import { ConsumerMeters } from './meters/consumer-meters.ts'
import { watchDue } from './lane/watch-due.ts'
import { keepInbox } from './tables/inbox/partitions.ts'
import { keepRetention } from './tables/retention/keep-retention.ts'
import { retirementsOf } from './tables/retention/retirements.ts'
import { PaceNotes } from './tables/replicas/pace-table.ts'

export interface RunningConsumer extends Running {
  readonly checks: Readonly<Record<'heartbeat' | 'commit' | 'publish', Check>>
  /** Generation of the topics according to the last poll of its lanes' rows; undefined if it holds no lane. */
  generation(): number | undefined
}

export interface ConsumerDependencies {
  config: Config
  /** Connections whose search path is the consumer's own schema. */
  pool: Pool
  codec: Codec
  log: Logger
  /** What others commit to the consumer's schema. @default none, and the tables are read twice a second */
  notices?: Notices | undefined
  /** Name of this replica as shown to operators. */
  replica: string
  /** Records metrics. @default none are */
  meter?: Meter
  /** Exports spans; needs `meter`. @default none are, and events keep the trace context of their causes */
  tracer?: Tracer
  /** Maximum number of calls kept in memory; the others wait in their table. @default see `Caller` */
  memory?: { calls: number }
  /** Replaces Kafka in the simulation. @default Kafka at the configured brokers */
  broker?: { kafka: Kafka; readIds: typeof readTopicIds }
  /** How scarce processors are, 0 to 1. @default measured */
  scarce?: () => number
}

/** Maximum time until a re-created topic or deleted records are noticed; a join or a fetch may notice them sooner. */
const topicsEveryMs = 10_000
/** How long a stopping replica may publish before it releases its lanes; their next owners publish the rest. */
const flushPatienceMs = 500
/** How often a lingering replica says so. */
const paceEveryMs = 5_000
const watchPatienceMs = 2_000
/** A fetch begins after this share of the time between two transactions: what it brings is there when the next begins. */
const fetchShare = 0.7
const connectionsAtOnce = 4

/**
 * A broker that does not answer for this time is considered lost: longer than any fetch, and at most half a session.
 */
const answerWithinMs = ({ kafka }: Config): number => Math.min(8_000, Math.max(2_000, kafka.sessionTimeoutMs / 2))

/** Starts one replica of a consumer: it joins its group and processes its lanes until it is stopped. */
export async function startConsumer<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  {
    config,
    pool,
    codec,
    log,
    replica,
    meter,
    tracer,
    notices = noNotices,
    memory,
    broker,
    scarce = scarcity(),
  }: ConsumerDependencies,
): Promise<RunningConsumer> {
  const { namespace, partitions, generation } = config
  const handled = new Set(Object.keys(definition.handlers) as EventType[])
  const topics = [...new Set([...handled].map((type) => inGeneration(topicOf(type).name, generation)))]
  const { sessionTimeoutMs } = config.kafka
  const { kafka, readIds } = broker ?? {
    kafka: createKafka({ servers: config.kafka, clientId: replica, log, requestTimeoutMs: answerWithinMs(config) }),
    readIds: readTopicIds,
  }
  const { begins } = definition
  const offsets = await TopicOffsets.open({ kafka, namespace, topics, partitions, begins, readIds })
  const [pace, publishing] = [new Pace(scarce), new Pace(scarce)]
  const meters = meter && new ConsumerMeters(meter, namespace, tracer && { tracer, group: definition.group })
  const relay = new Relay({ kafka, pool, namespace, log, pace: publishing, watch: meters?.publishing })
  const caller = new Caller({
    ...{ calls: definition.calls ?? {}, pool, log, watch: meters?.calls },
    ...{ concurrency: definition.callsAtOnce, inMemory: memory?.calls },
  })
  const owner = replica
  const { failure: policy } = config
  const context = {
    definition,
    pool,
    codec,
    breaker: new FailureBreaker(),
    policy,
    owner,
    generation,
    exporting: tracer,
  }
  const groups = new BatchGroups(
    context,
    pace,
    meters?.batches.watching((work) => processBatches(context, work)),
  )
  const [inTurn, notingLanes] = [takingTurns(), takingTurns()]
  const claims = atMost(transactionsAtOnce(pool))
  const fetched = new FetchedBatches({ offsets, group: definition.group, namespace, log })
  const membership: Membership<Lane> = new Membership<Lane>({
    kafka,
    groupId: `${namespace}${definition.group}`,
    namespace,
    topics,
    partitions,
    sessionTimeoutMs,
    log,
    joining: () => void offsets.refresh(),
    passedOver(topic, partition, ...stretch) {
      offsets.passOver(topic, partition, ...stretch)
      const lane = lanes.get(partition)
      if (lane) void fetched.passGap(lane, topic)
    },
    rest: () => pace.rest(0, fetchShare),
    fetched: meters ? meters.watching(fetched) : fetched,
    claim: (number) =>
      new Lane(number, {
        group: definition.group,
        pool,
        codec,
        handled,
        partitions,
        owner,
        generation,
        groups,
        inTurn,
        claims,
        noting: notingLanes,
        parkedLimit: policy.parkedLimit,
        relay,
        caller,
        log,
        fenced: meters && (() => meters.fenced()),
        stir: () => watch.stir(),
        topicStarts: (lane) => offsets.starts(lane),
        readOn: (lane) => membership.readOn(lane),
        pauseFetching: (lane) => membership.pauseFetching(lane),
      }),
  })
  const { lanes } = membership
  const progress: TopicProgress = {
    ends: () => offsets.ends(),
    processed(number, topic, offset) {
      const position = lanes.get(number)?.position(topic)
      return position !== undefined && offsets.beyondPassed(topic, number, position) >= offset
    },
  }

  const stopInbox = keepInbox(pool, log)
  const stopRetention = keepRetention(pool, retirementsOf(definition, config), log)
  const seen = meters?.seeing((topic, lane) => lanes.get(lane)?.position(topic))
  const positionWatch = new PositionWatch({ offsets, topics, log, seen })
  const topicWatch = setInterval(() => {
    void offsets.refreshRegularly().then(() => positionWatch.look([...lanes.values()])) // Which compares the ids, too
  }, topicsEveryMs)
  const notes = new PaceNotes(pool, replica)
  const noting = setInterval(
    () => void notes.note({ transactions: pace.state, publishing: publishing.state }),
    paceEveryMs,
  )
  let generationSeen: number | undefined
  const watch = watchDue({
    pool,
    timers: definition.timers !== undefined,
    lanes,
    progress,
    notices,
    generation: (seen) => (generationSeen = seen),
    log,
  })
  await openConnections(pool)
  const unsubscribe = notices.subscribe(() => membership.attend())
  await sendNotice(pool) // The other members expect a rebalance
  await membership.start()
  meters?.read({ lanes, topics, partitions, pool, relay, caller, paces: { transactions: pace, publishing } })
  return {
    checks: {
      heartbeat: () => membership.silence,
      commit: () => meters?.batches.report() ?? databaseWrites(pool),
      publish: () => meters?.publishing.report(),
    },
    generation: () => generationSeen,
    async stop() {
      caller.stop()
      stopInbox()
      stopRetention()
      meters?.stop()
      clearInterval(topicWatch)
      clearInterval(noting)
      unsubscribe()
      void sendNotice(pool)
      await Promise.all([membership.quiesce(), settlesWithin(watch.stop(), watchPatienceMs)])
      await relay.flush(flushPatienceMs)
      await membership.leave()
      await relay.stop()
      offsets.stop()
    },
  }
}

/** Opens connections in advance, so that claims of lanes that move to this process do not wait for them. */
const openConnections = (pool: Pool): Promise<unknown> =>
  Promise.all(
    Array.from({ length: connectionsAtOnce }, () =>
      pool.connect().then(
        (client) => client.release(),
        () => {}, // A claim gets the same error and retries
      ),
    ),
  )
