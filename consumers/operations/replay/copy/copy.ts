import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { isTallyError, TallyError } from '../../../../infra/errors.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { createTopics } from '../../../../infra/kafka/topics.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { RecordSender } from '../../../../infra/kafka/record-sender.ts'
import type { RawRecord } from '../../../../infra/kafka/record-sender.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import { chooseReplication, fewestInSync } from '../../../../infra/kafka/brokers/choose-replication.ts'
import { copyPreconditions } from './preconditions.ts'
import type { ReplayContext, ReplayMode, ReplayRun } from '../mode.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import { readStretches } from '../reading/read-stretches.ts'
import type { ChosenRecord } from '../reading/read-stretches.ts'

/** Maximum number of records per step; a step that was killed is repeated. */
const atOnce = 500
const bytesPerRequest = 700_000
/** Bytes of a batch beside its records: together they must not exceed the topic's `max.message.bytes`. */
const batchOverhead = 100
const patienceMs = 20_000
const pauseMs = 200

/** Headers that each copy has in addition to its original's: the replay, and `<topic>/<partition>@<offset>`. */
export const replayHeader = 'tally-replay'
export const sourceHeader = 'tally-replay-source'

/**
 * Writes selected events to another topic unchanged, in order within their partitions. At least once: a step of unknown outcome
 * is repeated, so up to 500 records can be duplicated after a kill or an outage. Their source headers identify them.
 */
export const copy: ReplayMode = {
  describe({ partitions, toTopic }) {
    const events = partitions.reduce((sum, { selected }) => sum + selected, 0)
    return (
      `Writes ${events} events to ${toTopic} with key, value, headers and time, and headers that name the replay and the source. ` +
      `After a kill, up to ${atOnce} of them may be written twice: the header ${sourceHeader} identifies them.`
    )
  },

  preconditions: copyPreconditions,

  async run(context, run) {
    const { codec, pool, kafka } = context
    if (run.options.createTopic && run.partitions.every(({ from, next }) => next === from))
      await createTarget(context, run)
    const toPartition = await router(context, run)
    const room = await requestBytes(context, run)
    const sender = new RecordSender(kafka)
    try {
      await using source = await openSource(context, run.partitions, run.signal)
      const stretches = readStretches(source, run.partitions, {
        atOnce: () => run.atOnce(atOnce),
        ...choosing(run.plan.selector, codec),
      })
      for await (const { chosen, advances } of stretches) {
        if (advances.length === 0) continue
        await run.pace(chosen.length)
        const copies = chosen.map((record) => copyOf(record, toPartition(record), context, run))
        for (const request of requestsOf(copies, room)) await sendPatiently(sender, request, run.signal)
        await inTransaction(pool, (tx) => run.advance(tx, advances, { copied: copies.length }))
      }
    } finally {
      await sender.stop()
    }
  },

  /** Written copies stay. */
  abandon: () => Promise.resolve(),

  undo: 'the other topic keeps the copies until you delete it',
}

/**
 * Copies keep their times: a topic that deletes by age would delete them soon. One that exists stays as it is.
 * @throws TallyError PRECONDITION_FAILED if brokers are down that it needs
 */
const createTarget = ({ kafka, config }: ReplayContext, { plan }: ReplayRun): Promise<void> =>
  withAdmin(kafka, async (admin) => {
    const topic = `${config.namespace}${plan.toTopic}`
    if ((await admin.listTopics()).includes(topic)) return
    const replicationFactor = await chooseReplication(admin, config)
    const configEntries = [
      { name: 'retention.ms', value: '-1' },
      { name: 'min.insync.replicas', value: String(fewestInSync(replicationFactor)) },
    ]
    await createTopics(admin, [{ topic, numPartitions: config.partitions, replicationFactor, configEntries }])
  })

/** The source's partition if the target has as many partitions, otherwise the key's. */
async function router({ kafka, config }: ReplayContext, { plan }: ReplayRun) {
  const counts = await withAdmin(kafka, async (admin) => {
    const names = [plan.toTopic ?? '', ...new Set(plan.partitions.map(({ topic }) => topic))]
    const { topics } = await admin.fetchTopicMetadata({ topics: names.map((name) => `${config.namespace}${name}`) })
    return new Map(topics.map(({ name, partitions }) => [name.slice(config.namespace.length), partitions.length]))
  })
  const target = counts.get(plan.toTopic ?? '') ?? 0
  if (target === 0) throw new TallyError('USAGE', `there is no topic ${plan.toTopic}`)
  return ({ topic, partition, message: { key } }: ChosenRecord): number => {
    if (counts.get(topic) === target) return partition
    return key === null ? partition % target : laneOf(key, target)
  }
}

function copyOf(
  { topic, partition, offset, message }: ChosenRecord,
  toPartition: number,
  { config }: ReplayContext,
  { id, plan }: ReplayRun,
): RawRecord {
  const { key, value, timestamp, headers } = message
  return {
    topic: `${config.namespace}${plan.toTopic}`,
    partition: toPartition,
    key,
    value,
    timestamp,
    headers: { ...headers, [replayHeader]: String(id), [sourceHeader]: `${topic}/${partition}@${offset}` },
  }
}

/** Maximum size of a request: if a part of a larger one were rejected, the others would stay written. */
async function requestBytes({ kafka, config }: ReplayContext, { plan }: ReplayRun): Promise<number> {
  const { resources } = await withAdmin(kafka, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: `${config.namespace}${plan.toTopic}`,
          configNames: ['max.message.bytes'],
        },
      ],
    }),
  )
  const limit = Number(resources[0]?.configEntries[0]?.configValue ?? Number.NaN)
  return Number.isNaN(limit) ? bytesPerRequest : Math.min(bytesPerRequest, limit - batchOverhead)
}

/** Requests in order, each within the limit; a larger record gets a request of its own. */
function* requestsOf(records: readonly RawRecord[], room: number): Generator<RawRecord[]> {
  let request: RawRecord[] = []
  let bytes = 0
  for (const record of records) {
    const size = sizeOf(record)
    if (request.length > 0 && bytes + size > room) {
      yield request
      request = []
      bytes = 0
    }
    request.push(record)
    bytes += size
  }
  if (request.length > 0) yield request
}

const sizeOf = ({ key, value, headers }: RawRecord): number =>
  100 +
  (key?.length ?? 0) +
  (value?.length ?? 0) +
  Object.entries(headers).reduce((sum, [name, values]) => {
    const all: (string | Buffer | null)[] = [values ?? []].flat() // A repeated header may have a null value
    return sum + all.reduce((bytes, one) => bytes + name.length + (one?.length ?? 0) + 10, 0)
  }, 0)

/** Retries while Kafka does not answer. */
async function sendPatiently(sender: RecordSender, records: readonly RawRecord[], signal: AbortSignal): Promise<void> {
  for (const startedAt = performance.now(); ; ) {
    try {
      return await sender.send(records)
    } catch (error) {
      if (!isTallyError(error) || !error.retryable || performance.now() - startedAt > patienceMs) throw error
      await delay(pauseMs, undefined, { signal }).catch(() => {})
      signal.throwIfAborted()
    }
  }
}
