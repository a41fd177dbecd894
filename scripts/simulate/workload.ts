import { toHeaders } from '../../schemas/envelope.ts'
import { derivedEventId } from '../../schemas/event-id.ts'
import { laneOf } from '../../schemas/partition.ts'
import type { Wish } from './counting-consumer.ts'
import { beginning } from './time/take-over-time.ts'
import type { World } from './world.ts'

const wishes: readonly Wish[] = [
  ...(['counts', 'counts', 'counts', 'counts', 'calls', 'calls', 'calls', 'waits', 'waits'] as const),
  ...(['throws', 'throws', 'refused', 'refused', 'unreadable'] as const),
]

/** Places orders over a time: a few keys, some events twice, now and then one that is no good or lies in the wrong place. */
export function placeOrders(world: World, count: number, withinMs: number): void {
  const { clock, random, self } = world
  const keys = Array.from({ length: random.integer(2, 6) }, (_, index) => `order-${index}`)
  for (let number = 0; number < count; number++) {
    const key = random.pick(keys)
    const at = random.between(0, withinMs)
    const wish = random.pick(wishes)
    const record = orderRecord(world, key, number, wish, at)
    clock.after(at, () => record(), self)
    // A producer that heard no answer sends again, perhaps much later. Of what cannot be read nobody knows that it is a repeat:
    // whichever copy can be read first takes effect
    if (wish !== 'unreadable' && random.chance(0.15))
      clock.after(random.between(at, withinMs * 1.2), () => record(), self)
  }
}

function orderRecord(world: World, key: string, number: number, wish: Wish, at: number): () => void {
  const { random, broker, codec, partitions } = world
  const time = beginning + Math.floor(at)
  const id = derivedEventId({ chainTime: time, group: 'producer', causeId: String(number), type: wish, ordinal: 0 })
  const home = laneOf(key, partitions)
  const astray = random.chance(0.01) ? (home + 1) % partitions : home
  const broken = random.chance(0.01)
  const ignored = random.chance(0.1)
  const type = ignored ? 'CancellationRequested' : 'OrderPlaced'
  const data = ignored ? { orderId: key } : { orderId: key, customerId: wish }
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
