// Reads and decodes with the group client, batch parts and inputs of a consumer's replica.
import { loadConfig } from '../../../infra/config.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { Membership } from '../../../consumers/runtime/group/membership.ts'
import type { MemberLane } from '../../../consumers/runtime/group/membership-options.ts'
import { readRecords } from '../../../consumers/runtime/batch/read-records.ts'
import { startMeasuring, readParameters } from '../measured.ts'

const recordsPerBatch = 1_000
const { events } = readParameters<{ events: number }>()
const { namespace, partitions, kafka: settings, registry } = loadConfig()
const log = silentLogger
const kafka = createKafka({ servers: { brokers: settings.brokers }, clientId: 'bench', log })
const codec = await createCodec({ registryUrl: registry.url, namespace, log })
const handled = new Set(['OrderPlaced'] as const)
let [records, totalMinor] = [0, 0]
let finish: ReturnType<typeof startMeasuring> | undefined
const done = Promise.withResolvers<void>()

/** A lane without a database: it accepts every batch. */
class ReadingLane implements MemberLane {
  readonly number: number
  readonly phase = 'live'
  readonly accepting = true
  readonly epoch = 1
  readonly fencedAt = 0
  readonly claimed = Promise.resolve()
  next = 0

  constructor(number: number) {
    this.number = number
  }
  position = () => this.next
  drop = () => Promise.resolve()
  idle = () => Promise.resolve()
  unheard = () => {}
}

const membership: Membership<ReadingLane> = new Membership<ReadingLane>({
  kafka,
  groupId: `${namespace}bench`,
  namespace,
  topics: ['orders'],
  partitions,
  sessionTimeoutMs: settings.sessionTimeoutMs,
  log,
  claim: (number) => new ReadingLane(number),
  joining: () => (finish ??= startMeasuring()),
  passedOver: () => {},
  fetched: {
    async process(lane, { messages, partition }, { reached }) {
      const source = { codec, handled, partitions, topic: 'orders', partition }
      const fresh = messages.filter(({ offset }) => Number(offset) >= lane.next)
      for (let start = 0; start < fresh.length; start += recordsPerBatch) {
        const part = fresh.slice(start, start + recordsPerBatch)
        const to = Number(part.at(-1)?.offset) + 1
        const { inputs } = await readRecords(part, lane.next, to, source)
        for (const { event } of inputs) if (event && 'totalMinor' in event.data) totalMinor += event.data.totalMinor
        records += inputs.length
        lane.next = to
        await reached(to - 1)
      }
      if (records >= events) done.resolve()
      return undefined
    },
  },
})
await membership.start()
await done.promise
finish?.(records, { records, totalMinor })
await membership.leave()
