import { toHeaders } from '../../schemas/envelope.ts'
import { derivedEventId } from '../../schemas/event-id.ts'
import { laneOf } from '../../schemas/partition.ts'
import type { OrderKind } from './counting-consumer.ts'
import { beginning } from './time/take-over-time.ts'
import type { World } from './world.ts'

const orderKinds: readonly OrderKind[] = [
  ...(['counts', 'counts', 'counts', 'counts', 'calls', 'calls', 'calls', 'waits', 'waits'] as const),
  ...(['throws', 'throws', 'refused', 'refused', 'unreadable'] as const),
]

/** Places orders at random times. They share a few keys; some are repeated, unreadable or in the wrong partition. */
export function placeOrders(world: World, count: number, withinMs: number): void {
  const { clock, random, self } = world
  const keys = Array.from({ length: random.integer(2, 6) }, (_, index) => `order-${index}`)
  for (let number = 0; number < count; number++) {
    const key = random.pick(keys)
    const at = random.between(0, withinMs)
    const kind = random.pick(orderKinds)
    const record = orderRecord(world, key, number, kind, at)
    clock.after(at, () => record(), self)
    // A producer without an answer sends again, perhaps much later. Not if the value is unreadable: a repeat is not recognized
    // then, so the copy that becomes readable first would take effect
    if (kind !== 'unreadable' && random.chance(0.15))
      clock.after(random.between(at, withinMs * 1.2), () => record(), self)
  }
}

function orderRecord(world: World, key: string, number: number, kind: OrderKind, at: number): () => void {
  const { random, broker, codec, partitions } = world
  const time = beginning + Math.floor(at)
  const id = derivedEventId({ chainTime: time, group: 'producer', causeId: String(number), type: kind, ordinal: 0 })
  const home = laneOf(key, partitions)
  const astray = random.chance(0.01) ? (home + 1) % partitions : home
  const broken = random.chance(0.01)
  const ignored = random.chance(0.1)
  const type = ignored ? 'CancellationRequested' : 'OrderPlaced'
  const data = ignored ? { orderId: key } : { orderId: key, customerId: kind }
  const value = broken ? Buffer.from('no event at all') : codec.encode(type, data as never)
  const headers = toHeaders({
    id,
    type,
    source: '/tally/producer',
    time,
    subject: key,
    correlationId: key,
  })
  return () => {
    if (random.chance(0.1)) broker.appendControlRecord('orders', astray)
    if (random.chance(0.05)) broker.skipOffset('orders', astray)
    broker.append('orders', astray, { key, value, headers })
    if (random.chance(0.1)) broker.appendControlRecord('orders', astray)
  }
}
