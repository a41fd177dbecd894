import { describe, expect, test } from '@jest/globals'
import { loadConfig } from '../../infra/config.ts'
import { everyInterleaving } from '../testing/every-interleaving.ts'
import { booking, eventsOf, shipTo, twice, typesOf } from '../testing/events.ts'
import { emptyMemory, handleAll, now } from '../testing/in-memory.ts'
import type { Input } from '../testing/in-memory.ts'
import createConsumer from './consumer.ts'
import type { Shipment } from './decide-shipping.ts'

const shipping = createConsumer(loadConfig({}))
const { placed, cancellation, authorized, declined, reserved, rejected } = eventsOf('o-1', { tea: 2, mug: 1 })

const scheduled = { outcome: 'scheduled', ...booking }
const refused = { outcome: 'refused', code: 'undeliverable_address', detail: 'No delivery to Graz', refusedAt: now }
const contradicted = { outcome: 'contradicted', code: 'invalid_request' }
const limitMs = 900_000
const overdue: Input = { key: 'o-1', kind: 'overdue' }
const answer = (said: object): Input => ({ key: 'o-1', kind: 'schedule', answer: said })
const ready = [placed, authorized, reserved]

function after(...inputs: Input[]) {
  const { memory, events, calls } = handleAll<Shipment, never>(shipping, emptyMemory, inputs)
  return { shipment: memory.states.get('o-1'), events, calls }
}
const timersAfter = (...inputs: Input[]) => handleAll<Shipment, never>(shipping, emptyMemory, inputs).timers
const cancelled = (reason: string, detail: string, cancelledAt = now) => ({
  type: 'FulfilmentCancelled',
  data: { orderId: 'o-1', reason, detail, cancelledAt },
})
const cancellationRefused = (reason: string) => ({
  type: 'CancellationRefused',
  data: { orderId: 'o-1', reason, refusedAt: now },
})

describe('shipping', () => {
  test.each([[[placed, authorized, reserved]], [[reserved, authorized, placed]], [[authorized, placed, reserved]]])(
    'buys a label once order, money and goods are there, whichever is last',
    (inputs) => {
      expect(after(...inputs.slice(0, 2)).calls).toEqual([])
      expect(after(...inputs)).toEqual({
        shipment: { phase: 'scheduling' },
        events: [],
        calls: [{ kind: 'schedule', request: { orderId: 'o-1', shipTo, units: 3 } }],
      })
    },
  )

  test('an order told again with other contents stays as it was', () => {
    const other = eventsOf('o-1', { pot: 9 }).placed
    expect(after(placed, other, authorized, reserved).calls).toEqual(after(...ready).calls)
  })

  test('announces label and pickup', () => {
    expect(after(...ready, answer(scheduled))).toEqual({
      shipment: { phase: 'scheduled' },
      events: [{ type: 'ShipmentScheduled', data: { orderId: 'o-1', ...booking } }],
      calls: [],
    })
  })

  test('cancels what the carrier refuses', () => {
    expect(after(...ready, answer(refused)).events).toEqual([cancelled('carrier_refused', 'No delivery to Graz')])
  })

  test.each<[string, Input[], object]>([
    ['before anything else is known', [], cancelled('requested', 'changed my mind')],
    ['before the label call', [placed, authorized], cancelled('requested', 'changed my mind')],
    ['after the label call', ready, cancellationRefused('already_shipping')],
    ['after the label', [...ready, answer(scheduled)], cancellationRefused('already_shipping')],
    ['after the carrier refused', [...ready, answer(refused)], cancellationRefused('already_ended')],
    ['after a decline', [placed, declined], cancellationRefused('already_ended')],
    ['after missing stock', [rejected], cancellationRefused('already_ended')],
    ['a second time', [placed, cancellation], cancellationRefused('already_ended')],
    ['after its time was up', [placed, overdue], cancellationRefused('already_ended')],
  ])('answers a cancellation %s', (_, inputs, expected) => {
    expect(after(...inputs, cancellation).events).toEqual([expected])
  })

  test.each([placed, authorized, reserved])('lets the clock run from the first part that comes: $type', (first) => {
    expect(timersAfter(first)).toEqual([{ kind: 'overdue', afterMs: limitMs }])
    for (const next of [placed, authorized, reserved]) expect(timersAfter(first, next)).toEqual([])
  })

  test.each([
    [[placed], declined],
    [[authorized], rejected],
    [[reserved], cancellation],
    [[placed, reserved], authorized],
  ])('stops the clock when %j is followed by the end of gathering', (inputs, end) => {
    const last = (all: Input[]) => handleAll<Shipment, never>(shipping, emptyMemory, all).withdraw
    expect(last([...inputs, end])).toEqual(['overdue'])
    expect(last([...inputs, end, end])).toEqual([]) // Once
    expect(last([end])).toEqual([]) // Nothing to stop
  })

  test.each([declined, rejected, cancellation])('needs no clock for what $type has ended', (end) => {
    expect(timersAfter(end)).toEqual([])
    expect(timersAfter(end, placed)).toEqual([])
  })

  test.each<[string, Input[]]>([
    ['payment, stock', [placed]],
    ['stock', [placed, authorized]],
    ['payment', [placed, reserved]],
    ['order, stock', [authorized]],
    ['order, payment', [reserved]],
    ['order', [authorized, reserved]],
  ])('cancels an order whose time is up, naming what is missing: %s', (missing, inputs) => {
    expect(after(...inputs, overdue)).toEqual({
      shipment: { phase: 'cancelled' },
      events: [cancelled('timed_out', `Missing after 900 s: ${missing}`)],
      calls: [],
    })
    expect(after(...inputs, overdue, ...ready)).toEqual({ shipment: { phase: 'cancelled' }, events: [], calls: [] })
  })

  test.each<[Shipment['phase'], Input[]]>([
    ['scheduling', ready],
    ['scheduled', [...ready, answer(scheduled)]],
    ['cancelled', [placed, cancellation]],
    ['cancelled', [placed, overdue]],
    ['rejected', [placed, declined]],
  ])('leaves an order alone whose time is up when it is %s', (phase, inputs) => {
    expect(after(...inputs, overdue)).toEqual({ shipment: { phase }, events: [], calls: [] })
  })

  test.each([declined, rejected])('delivers nothing after $type', (end) => {
    expect(after(end, placed, authorized, reserved)).toEqual({ shipment: { phase: 'rejected' }, events: [], calls: [] })
  })

  test.each([
    ['a rejection after the label call', [...ready, rejected]],
    ['a rejection after the label', [...ready, answer(scheduled), declined]],
    ['a call the carrier contradicts', [...ready, answer(contradicted)]],
  ])('%s is a broken promise', (_, inputs) => {
    expect(() => after(...inputs)).toThrow(expect.objectContaining({ code: 'INVARIANT' }))
  })
})

describe('shipping, in every interleaving and with every event told twice', () => {
  // Without OrderPlaced, too: what waits for an order that does not come must end as well
  const cases = [[placed], [placed, cancellation], [cancellation], []].flatMap((orders) =>
    [[authorized], [declined], []].flatMap((payments) =>
      [[reserved], [rejected], []].flatMap((inventory) =>
        [scheduled, refused].map((carrier) => ({
          facts: [...typesOf([...orders, ...payments, ...inventory]), carrier.outcome].join(', '),
          topics: [orders, payments, inventory].map(twice),
          carrier,
        })),
      ),
    ),
  )

  test.each(cases)('$facts', ({ topics, carrier }) => {
    const endings = everyInterleaving<Shipment, never>({
      definition: shipping,
      start: emptyMemory,
      key: 'o-1',
      topics,
      answer: () => carrier,
    })
    const different = new Map([...endings].map((ending) => [JSON.stringify({ ...ending, memory: undefined }), ending]))
    const facts = topics.flat()
    const complete = ready.every((part) => facts.includes(part))
    const over = facts.includes(declined) || facts.includes(rejected)
    const requests = facts.filter((fact) => fact === cancellation).length
    const open = [cancellation, ...ready].some((fact) => facts.includes(fact))
    const ends = new Set<string>()
    for (const { events, calls, timers } of different.values()) {
      const types = typesOf(events)
      const count = (type: string) => types.filter((each) => each === type).length
      const byCarrier = calls.length === 1 && carrier === refused ? 1 : 0
      const byClock = events.filter(({ data }) => 'reason' in data && data.reason === 'timed_out').length
      // One call at most, and none that the facts do not allow
      expect(calls.length).toBeLessThanOrEqual(complete ? 1 : 0)
      expect(count('ShipmentScheduled')).toBe(calls.length - byCarrier)
      // One clock at most, and only what no call was made for is ended by it
      expect(timers.length).toBeLessThanOrEqual(1)
      expect(byClock).toBeLessThanOrEqual(timers.length - calls.length)
      // Every request has one answer, the order one end at most
      expect(count('FulfilmentCancelled') - byCarrier - byClock + count('CancellationRefused')).toBe(requests)
      expect(count('ShipmentScheduled') + count('FulfilmentCancelled')).toBeLessThanOrEqual(1)
      ends.add(types.find((type) => type !== 'CancellationRefused') ?? 'neither')
    }
    // Only a rejection, which others announce, leaves shipping without a word: nothing hangs
    const byCall = carrier === refused ? 'FulfilmentCancelled' : 'ShipmentScheduled'
    expect(ends).toEqual(
      new Set([
        ...(open ? ['FulfilmentCancelled'] : []),
        ...(complete ? [byCall] : []),
        ...(over || !open ? ['neither'] : []),
      ]),
    )
  })
})
