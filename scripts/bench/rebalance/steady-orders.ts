import { TallyError } from '../../../infra/errors.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { generateEvents } from '../../../producers/sample-data/event-generator.ts'
import { Publisher } from '../../../producers/direct/publisher.ts'
import type { OutgoingEvent } from '../../../producers/direct/publisher.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { seed } from '../fill-orders.ts'

export const ordersPerSecond = 500

/**
 * Publishes orders at even intervals, one per lane at a time and independent of the consumers, so that a gap in a lane's
 * output is a pause of the group.
 * @returns their number, after the last acknowledgement
 */
export async function publishSteadily(
  { config, kafka, namespace, signal }: Pick<Sandbox, 'config' | 'kafka' | 'namespace'> & { signal: AbortSignal },
  codec: Codec,
  orders: number,
): Promise<number> {
  const { partitions } = config
  const nextRound = rounds(partitions)
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  const [count, everyMs] = [Math.ceil(orders / partitions), (1_000 * partitions) / ordersPerSecond]
  const acknowledged: Promise<unknown>[] = []
  const startedAt = performance.now()
  const ended = Promise.withResolvers<void>()
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor((performance.now() - startedAt) / everyMs))
    while (acknowledged.length < due) acknowledged.push(publisher.publish(nextRound()))
    if (acknowledged.length === count || signal.aborted) ended.resolve()
  }, everyMs / 4)
  try {
    await ended.promise
    signal.throwIfAborted()
    await Promise.all(acknowledged)
    return count * partitions
  } finally {
    clearInterval(timer)
    await publisher.stop()
  }
}

/** Generates orders, one for each lane at a time. */
function rounds(lanes: number): () => OutgoingEvent[] {
  const [sample] = generateEvents('OrderPlaced', { count: 1, seed })
  if (sample?.type !== 'OrderPlaced') throw new TallyError('INVARIANT', 'no order to copy')
  const { data } = sample
  const spare = Array.from({ length: lanes }, (): string[] => [])
  return () => {
    while (spare.some((ids) => ids.length === 0)) {
      const id = newEventId()
      spare[laneOf(id, lanes)]?.push(id)
    }
    return spare.map((ids) => ({
      type: 'OrderPlaced',
      id: newEventId(),
      data: { ...data, orderId: ids.pop() ?? '', placedAt: Date.now() },
    }))
  }
}
