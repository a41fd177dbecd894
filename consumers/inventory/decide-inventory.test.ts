import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { loadConfig } from '../../infra/config.ts'
import type { Emitted } from '../runtime/handler.ts'
import { everyInterleaving } from '../testing/every-interleaving.ts'
import { eventsOf, twice, typesOf } from '../testing/events.ts'
import { event, handle, handleAll, now } from '../testing/in-memory.ts'
import type { Input, Memory } from '../testing/in-memory.ts'
import createConsumer from './consumer.ts'
import type { Reservation, Stock } from './decide-inventory.ts'

const inventory = createConsumer(loadConfig({}))
const { placed, declined, cancelled, scheduled } = eventsOf('o-1', { tea: 2, mug: 1 })
const lines = [
  { sku: 'tea', quantity: 2 },
  { sku: 'mug', quantity: 1 },
]
const delivery = (sku: string, quantity: number) => event('StockReplenished', { sku, quantity, replenishedAt: now })

const warehouse = (units: Record<string, number>): Memory<Reservation, Stock> => ({
  states: new Map(),
  shared: new Map(
    Object.entries(units).map(([sku, onHand]) => [sku, { onHand, reserved: 0, shipped: 0, replenished: onHand }]),
  ),
})
const stocked = warehouse({ tea: 5, mug: 1 })

function after(start: Memory<Reservation, Stock>, ...inputs: Input[]) {
  const { memory, events } = handleAll(inventory, start, inputs)
  return { reservation: memory.states.get('o-1'), stock: Object.fromEntries(memory.shared), events }
}

describe('inventory', () => {
  test('an order placed has all its lines set aside', () => {
    expect(after(stocked, placed)).toEqual({
      reservation: { phase: 'reserved', lines },
      stock: {
        tea: { onHand: 3, reserved: 2, shipped: 0, replenished: 5 },
        mug: { onHand: 0, reserved: 1, shipped: 0, replenished: 1 },
      },
      events: [{ type: 'StockReserved', data: { orderId: 'o-1', lines, reservedAt: now } }],
    })
  })

  test('or none, with what is missing; an article never delivered counts as none', () => {
    const start = warehouse({ tea: 1 })
    expect(after(start, placed)).toEqual({
      reservation: { phase: 'rejected' },
      stock: Object.fromEntries(start.shared),
      events: [
        {
          type: 'StockRejected',
          data: {
            orderId: 'o-1',
            rejectedAt: now,
            shortages: [
              { sku: 'tea', requested: 2, available: 1 },
              { sku: 'mug', requested: 1, available: 0 },
            ],
          },
        },
      ],
    })
  })

  test.each([declined, cancelled])('$type gives back what was set aside', (end) => {
    const { reservation, stock, events } = after(stocked, placed, end)
    expect(reservation).toEqual({ phase: 'released', lines })
    expect(stock).toEqual(Object.fromEntries(stocked.shared))
    expect(events).toEqual([{ type: 'StockReleased', data: { orderId: 'o-1', lines, releasedAt: now } }])
  })

  test('an order that ended before it was seen has nothing set aside', () => {
    expect(after(stocked, declined, placed)).toEqual({
      reservation: { phase: 'closed' },
      stock: Object.fromEntries(stocked.shared),
      events: [],
    })
  })

  test('a shipment takes what was set aside', () => {
    const { reservation, stock, events } = after(stocked, placed, scheduled)
    expect(reservation).toEqual({ phase: 'shipped', lines })
    expect(stock.tea).toEqual({ onHand: 3, reserved: 0, shipped: 2, replenished: 5 })
    expect(events).toEqual([])
  })

  test('a delivery adds to what is on hand, also of an article never seen', () => {
    const { stock } = after(stocked, delivery('tea', 4), delivery('pot', 7))
    expect(stock.tea).toEqual({ onHand: 9, reserved: 0, shipped: 0, replenished: 9 })
    expect(stock.pot).toEqual({ onHand: 7, reserved: 0, shipped: 0, replenished: 7 })
  })

  const withLines = (...quantities: [sku: string, quantity: number][]) => {
    const order = eventsOf('o-1').placed.data as Extract<Emitted, { type: 'OrderPlaced' }>['data']
    const priced = quantities.map(([sku, quantity]) => ({ sku, quantity, unitPriceMinor: 1, amountMinor: 1 }))
    return event('OrderPlaced', { ...order, lines: priced })
  }
  test.each<[string, Input[]]>([
    ['an order without lines', [withLines()]],
    ['a line without units', [withLines(['tea', 0])]],
    ['a line with units below none', [withLines(['tea', -5])]],
    ['two lines of one article', [withLines(['tea', 3], ['tea', 3])]],
    ['a delivery of nothing', [delivery('tea', 0)]],
    ['a delivery that takes away', [delivery('tea', -1)]],
    ['a shipment of an order that ended', [placed, declined, scheduled]],
    ['a shipment of an order that ended before it was seen', [declined, scheduled]],
    ['a shipment of what was not there', [scheduled, withLines(['tea', 6])]],
    ['an end after the shipment', [placed, scheduled, cancelled]],
    ['an end after a shipment that came too early', [scheduled, cancelled]],
  ])('%s is a broken promise', (_, inputs) => {
    expect(() => after(stocked, ...inputs)).toThrow(expect.objectContaining({ code: 'INVARIANT' }))
  })
})

describe('inventory, in every interleaving and with every event told twice', () => {
  /** The different ends there are: events, and the stock of tea. */
  function outcomes(start: Memory<Reservation, Stock>, payments: Emitted[], shipping: Emitted[]) {
    const topics = [twice([placed]), twice(payments), twice(shipping)]
    const endings = everyInterleaving({ definition: inventory, start, key: 'o-1', topics })
    const describeEnding = ({ memory, events }: { memory: Memory<Reservation, Stock>; events: readonly Emitted[] }) => {
      const { onHand, reserved, shipped } = memory.shared.get('tea') as Stock
      return [...typesOf(events), onHand, reserved, shipped].join(' ')
    }
    return new Set([...endings].map(describeEnding))
  }
  const short = warehouse({ tea: 1, mug: 1 })

  test('an order that never ends holds its goods once, or none', () => {
    expect(outcomes(stocked, [], [])).toEqual(new Set(['StockReserved 3 2 0']))
    expect(outcomes(short, [], [])).toEqual(new Set(['StockRejected 1 0 0']))
  })

  test('an order that ends holds nothing: released, rejected or never set aside', () => {
    for (const [payments, shipping] of [
      [[declined], []],
      [[], [cancelled]],
      [[declined], [cancelled]],
    ] as const) {
      expect(outcomes(stocked, [...payments], [...shipping])).toEqual(
        new Set(['5 0 0', 'StockReserved StockReleased 5 0 0']),
      )
      expect(outcomes(short, [...payments], [...shipping])).toEqual(new Set(['1 0 0', 'StockRejected 1 0 0']))
    }
  })

  test('an order that is shipped takes its goods once', () => {
    expect(outcomes(stocked, [], [scheduled])).toEqual(new Set(['StockReserved 3 0 2']))
  })
})

test('orders that share articles never take more than there is', () => {
  const skus = ['tea', 'mug', 'pot']
  const order = fc.record({
    lines: fc.dictionary(fc.constantFrom(...skus), fc.integer({ min: 1, max: 5 }), { minKeys: 1 }),
    fate: fc.constantFrom('waits', 'ends', 'ships'),
  })
  const deliveries = fc.array(fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 8 }) }))
  const scenario = fc
    .record({ orders: fc.array(order, { maxLength: 8 }), deliveries })
    .chain(({ orders, deliveries: arrivals }) => {
      const inputs = orders.flatMap(({ lines: wanted, fate }, index) => {
        const events = eventsOf(`o-${index}`, wanted)
        return [events.placed, { waits: events.placed, ends: events.cancelled, ships: events.scheduled }[fate]]
      })
      const all = [...inputs, ...arrivals.map(({ sku, quantity }) => delivery(sku, quantity))]
      return fc.shuffledSubarray(all, { minLength: all.length })
    })
  fc.assert(
    fc.property(scenario, (inputs) => {
      let memory = warehouse({})
      for (const input of inputs) {
        try {
          memory = handle(inventory, memory, input).memory
        } catch (error) {
          // A shipment of what was not set aside: parked, changes nothing
          expect(error).toMatchObject({ code: 'INVARIANT' })
        }
      }
      for (const [sku, stock] of memory.shared) {
        const units = (phase: Reservation['phase']) =>
          [...memory.states.values()]
            .flatMap((reservation) => ('lines' in reservation && reservation.phase === phase ? reservation.lines : []))
            .reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0)
        const replenished = inputs.reduce(
          (sum, { data }) => sum + ('quantity' in data && data.sku === sku ? data.quantity : 0),
          0,
        )
        expect(stock).toEqual({
          onHand: replenished - units('reserved') - units('shipped'),
          reserved: units('reserved'),
          shipped: units('shipped'),
          replenished,
        })
        expect(stock.onHand).toBeGreaterThanOrEqual(0)
      }
    }),
    { numRuns: 500 },
  )
})
