// Measures the bytes that pure code allocates per event. Optimization and garbage collection are off, so that the same code
// allocates the same bytes on every machine.
import { decide } from '../../../consumers/runtime/batch/decide.ts'
import type { RecordInput } from '../../../consumers/runtime/model.ts'
import { readRecordInput } from '../../../consumers/runtime/batch/read-records.ts'
import { numberEvents } from '../../../producers/outbox/outbox-batch.ts'
import { generateEvents } from '../../../producers/sample-data/event-generator.ts'
import { createDecoder } from '../../../schemas/codec/decoder.ts'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { schemaIdOf } from '../../../schemas/codec/framing.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { eventTypes } from '../../../schemas/topics.ts'
import { seed } from '../fill-orders.ts'
import { hopConsumer } from '../hop/hop-consumer.ts'

const [events, partitions, now] = [2_000, 12, 1_800_000_000_000]
const schemas = loadSchemas()
const ids = new Map(eventTypes.map((type, index) => [type, index + 1]))
const decoder = createDecoder(schemas)
for (const { type, schema } of schemas) decoder.add(ids.get(type) ?? 0, schema)
const encode = createEncoder(schemas, ids)
const codec = {
  ...{ encode, schemaIdOf, learn: () => Promise.resolve() },
  ...{ typeOf: decoder.typeOf, nameOf: decoder.nameOf, whyUnreadable: decoder.whyUnreadable, decode: decoder.decode },
}

const orders = [...generateEvents('OrderPlaced', { count: events, seed })].filter(({ type }) => type === 'OrderPlaced')
const values: Buffer[] = []
const messages = orders.map((order, index) => {
  const key = 'orderId' in order.data ? order.data.orderId : ''
  const about = { id: newEventId(now), type: order.type, source: '/guard', time: now, subject: key, correlationId: key }
  const headers = Object.entries(toHeaders(about)).map(([name, value]) => [name, Buffer.from(value)] as const)
  return {
    ...{ key: Buffer.from(key), value: encode(order.type, order.data), timestamp: String(now), attributes: 0 },
    ...{ offset: String(index), headers: Object.fromEntries(headers) },
    lane: laneOf(key, partitions),
  }
})
const inputs: RecordInput[] = []

/** Steps in the order in which an event passes them; each keeps what the next one needs. */
const steps: Readonly<Record<string, () => void>> = {
  encode: () => {
    for (const { type, data } of orders) values.push(encode(type, data))
  },
  decode: () => {
    for (const { value } of messages) decoder.decode(value)
  },
  read: () => {
    for (const { lane, ...message } of messages)
      inputs.push(readRecordInput(message, () => 'place', { codec, partitions, topic: 'orders', partition: lane }))
  },
  decide: () => {
    const options = {
      definition: hopConsumer,
      codec,
      states: new Map(),
      shared: new Map<string, never>(),
      blocked: new Set<string>(),
      now,
    }
    const { events: emitted } = decide(inputs, options)
    numberEvents(emitted, { writer: 'guard', lane: 0, firstSeq: 1, generation: 1 })
  },
}

const allocated = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const bytesPerEvent: Record<string, number> = {}
for (const [name, step] of Object.entries(steps)) {
  step() // Warm up: caches and hidden classes are created once
  inputs.length = name === 'read' ? 0 : inputs.length
  globalThis.gc?.()
  const before = allocated()
  step()
  bytesPerEvent[name] = Math.round((allocated() - before) / events)
}
process.stdout.write(JSON.stringify(bytesPerEvent))
