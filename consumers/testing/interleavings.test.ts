import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { loadConfig } from '../../infra/config.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import inventory from '../inventory/consumer.ts'
import { noStock } from '../inventory/decide-inventory.ts'
import type { Stock } from '../inventory/decide-inventory.ts'
import payment from '../payment/consumer.ts'
import type { ConsumerDefinition } from '../runtime/handler.ts'
import shipping from '../shipping/consumer.ts'
import { eventsOf } from './events.ts'
import { event, now } from './in-memory.ts'
import { createOutsideWorld } from './outside-world.ts'
import { createPipeline } from './pipeline.ts'
import type { Step } from './pipeline.ts'

const skus = ['tea', 'mug', 'pot']
const definitions = [payment, inventory, shipping].map(
  (create) => create(loadConfig({})) as ConsumerDefinition<unknown, unknown>,
)

const lines = fc.dictionary(fc.constantFrom(...skus), fc.integer({ min: 1, max: 3 }), { minKeys: 1 })
const unlikely = fc.integer({ min: 0, max: 4 }).map((n) => n === 4)
const order = fc.record({
  lines,
  declined: unlikely,
  refused: unlikely,
  cancellations: fc.constantFrom(0, 0, 1, 2),
  /** Whether its time may be up at any moment, or only when nothing else is left to happen. */
  hurried: fc.boolean(),
})
const scenario = fc.record({
  orders: fc.array(order, { minLength: 1, maxLength: 4 }),
  deliveries: fc.array(fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 9 }) }), {
    maxLength: 8,
  }),
  /** Whether the deliveries are there before the first order, or come in between. */
  stocked: fc.boolean(),
  repeats: fc.integer({ min: 0, max: 5 }),
  /** Picks what happens next. */
  picks: fc.infiniteStream(fc.noBias(fc.nat())),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never

/** Lets everything happen that can, in the order of the picks, until nothing is left to do. */
function run({ orders, deliveries, stocked, repeats, picks }: Scenario) {
  const fates = new Map(orders.map((fate, index) => [`o-${index}`, fate]))
  const world = createOutsideWorld((orderId) => fates.get(orderId) ?? { declined: false, refused: false })
  const pipeline = createPipeline(definitions, world.call)
  const pick = (below: number) => (picks.next().value as number) % below

  const stock = () => (pipeline.memoryOf('inventory')?.shared ?? new Map()) as ReadonlyMap<string, Stock>
  const repeat = () => {
    const past = pipeline.published.filter(
      ({ type }) => type !== 'StockReplenished' && type !== 'CancellationRequested',
    )
    const told = past.length > 0 && past[pick(past.length)]
    if (told) pipeline.repeat(told)
  }
  const customers = [...fates].flatMap(([orderId, { lines: wanted, cancellations }]): Step[] => {
    const { placed, cancellation } = eventsOf(orderId, wanted)
    return [placed, ...Array<typeof cancellation>(cancellations).fill(cancellation)].map(
      (each) => () => pipeline.publish(each),
    )
  })
  const vans = deliveries.map(
    (arrived): Step =>
      () =>
        pipeline.publish(event('StockReplenished', { ...arrived, replenishedAt: now })),
  )
  if (stocked) {
    for (const van of vans) van()
    for (let [step] = pipeline.steps(); step; [step] = pipeline.steps()) step()
  }
  let outside: Step[] = [...customers, ...(stocked ? [] : vans), ...Array<Step>(repeats).fill(repeat)]
  const possible = () => {
    const inside = pipeline.steps()
    const idle = inside.length + outside.length === 0
    const due = pipeline.timers().filter(({ key }) => idle || fates.get(key)?.hurried)
    return [...inside, ...outside, ...due.map(({ fire }) => fire)]
  }
  for (let steps = possible(); steps.length > 0; steps = possible()) {
    const step = steps[pick(steps.length)] as Step
    const at = outside.indexOf(step)
    if (at >= 0) outside = outside.toSpliced(at, 1)
    step()
    for (const [, { onHand, reserved }] of stock())
      if (onHand < 0 || reserved < 0) throw new Error('sold what is not there')
  }
  return { pipeline, world, stock: stock(), orderIds: [...fates.keys()] }
}

/** What the set of its events says about an order; `undefined` if it has not ended. */
function finalState(types: ReadonlySet<EventType>) {
  if (types.has('PaymentCaptured')) return 'completed'
  if (types.has('FulfilmentCancelled')) return 'cancelled'
  if (types.has('PaymentDeclined') || types.has('StockRejected')) return 'rejected'
  return undefined
}

test('whatever the order of things, every order ends once and the books balance', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(scenario, (given) => {
      const { pipeline, world, stock, orderIds } = run(given)
      const completed = orderIds.filter((orderId) => finalState(new Set(pipeline.typesOf(orderId))) === 'completed')

      for (const [index, orderId] of orderIds.entries()) {
        const types = pipeline.typesOf(orderId)
        const has = new Set(types)
        const count = (type: EventType) => types.filter((each) => each === type).length
        const once = types.filter((type) => !type.startsWith('Cancellation'))
        expect(once).toHaveLength(new Set(once).size)
        expect(finalState(has)).toBeDefined()
        if (completed.includes(orderId)) {
          const happy = ['OrderPlaced', 'PaymentAuthorized', 'PaymentCaptured', 'ShipmentScheduled', 'StockReserved']
          expect(once.toSorted()).toEqual(happy)
        } else {
          expect(has.has('ShipmentScheduled')).toBe(false)
          expect(has.has('PaymentVoided')).toBe(has.has('PaymentAuthorized'))
          expect(has.has('StockReleased')).toBe(has.has('StockReserved'))
        }
        const granted = pipeline.published.filter(
          ({ type, data }) => type === 'FulfilmentCancelled' && data.orderId === orderId && data.reason === 'requested',
        )
        expect(granted.length + count('CancellationRefused')).toBe(given.orders[index]?.cancellations)
        const timedOut = pipeline.published.some(
          ({ data }) => 'reason' in data && data.reason === 'timed_out' && data.orderId === orderId,
        )
        for (const what of [finalState(has), ...has, ...(timedOut ? ['timed_out'] : [])])
          seen.set(String(what), (seen.get(String(what)) ?? 0) + 1)
      }

      // Money: taken once for what was completed, held for nothing
      const taken = world.holds().filter(({ state }) => state === 'captured')
      const owed = pipeline.published.flatMap(({ type, data }) =>
        type === 'OrderPlaced' && completed.includes(data.orderId)
          ? [{ orderId: data.orderId, amountMinor: data.totalMinor, state: 'captured' }]
          : [],
      )
      const byOrder = (a: { orderId: string }, b: { orderId: string }) => a.orderId.localeCompare(b.orderId)
      expect(taken.toSorted(byOrder)).toEqual(owed.toSorted(byOrder))
      expect(world.holds().filter(({ state }) => state === 'held')).toEqual([])
      expect(world.contradictions()).toEqual([])
      expect(world.shipments().toSorted()).toEqual(completed.toSorted())

      // Goods: every unit that arrived is on hand or went with a completed order
      for (const sku of skus) {
        const arrived = given.deliveries.reduce((sum, each) => sum + (each.sku === sku ? each.quantity : 0), 0)
        const shipped = completed.reduce(
          (sum, orderId) => sum + (given.orders[orderIds.indexOf(orderId)]?.lines[sku] ?? 0),
          0,
        )
        const expected = { onHand: arrived - shipped, reserved: 0, shipped, replenished: arrived }
        expect(stock.get(sku) ?? noStock).toEqual(expected)
      }
    }),
    { numRuns: 1_000 },
  )
  // The runs met everything that can happen, often
  const everything = [
    ...['completed', 'cancelled', 'rejected', 'timed_out'],
    ...['PaymentVoided', 'StockReleased', 'CancellationRefused'],
  ]
  for (const what of everything) expect([what, (seen.get(what) ?? 0) > 50]).toEqual([what, true])
})
