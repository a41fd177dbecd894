import { TallyError } from '../../infra/errors.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { generateEvents } from '../../producers/sample-data/event-generator.ts'
import type { Event } from '../../producers/sample-data/event-generator.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { newEventId } from '../../schemas/event-id.ts'
import type { OrderLine } from '../../schemas/generated/events.ts'
import { registerSchemas } from '../../schemas/registry/registry.ts'

export const seed = 7

/** Creates the topics and schemas of the sandbox. */
export async function prepareTopics(sandbox: Sandbox): Promise<Codec> {
  const { config, namespace, log } = sandbox
  const registryUrl = config.registry.url
  await Promise.all([sandbox.createTopics(), registerSchemas({ registryUrl, namespace, readersOf: () => [], log })])
  return createCodec({ registryUrl, namespace, log })
}

export interface FillOptions {
  /** @default ids as the API assigns them, sorted by time */
  newId?: () => string
  /** Order lines by index. @default articles of the demo */
  linesOf?: (index: number) => OrderLine[]
}

/**
 * Fills the topic `orders` with orders, each with its own key.
 * @returns the sum of their totals, with which a reader proves that it has read them
 */
export async function fillOrders(
  { kafka, namespace }: Sandbox,
  codec: Codec,
  events: number,
  { newId = newEventId, linesOf }: FillOptions = {},
): Promise<number> {
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  let [totalMinor, index] = [0, 0]
  let chunk: Event[] = []
  try {
    for (const event of generateEvents('OrderPlaced', { count: events, seed })) {
      if (event.type !== 'OrderPlaced') throw new TallyError('INVARIANT', `not an order: ${event.type}`)
      const data = linesOf ? { ...event.data, ...priced(linesOf(index++)) } : event.data
      totalMinor += data.totalMinor
      if (chunk.push({ ...event, id: newId(), data }) < 10_000) continue
      await publisher.publish(chunk)
      chunk = []
    }
    await publisher.publish(chunk)
  } finally {
    await publisher.stop()
  }
  return totalMinor
}

const priced = (lines: OrderLine[]) => ({
  lines,
  totalMinor: lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
})

/** @throws TallyError INVARIANT unless the counts are equal */
export function assertCount(what: string, counted: number | undefined, expected: number): void {
  if (counted !== expected) throw new TallyError('INVARIANT', `${what}: ${counted}, not ${expected}`)
}
