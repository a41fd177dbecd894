import { describe, expect, test } from '@jest/globals'
import { loadConfig } from '../../infra/config.ts'
import type { CallIntent, Emitted } from '../runtime/handler.ts'
import { everyInterleaving } from '../testing/every-interleaving.ts'
import { eventsOf, twice, typesOf } from '../testing/events.ts'
import { emptyMemory, handleAll, now } from '../testing/in-memory.ts'
import type { Input } from '../testing/in-memory.ts'
import createConsumer from './consumer.ts'
import type { Payment } from './decide-payment.ts'

const payment = createConsumer(loadConfig({}))
const { placed, rejected, cancelled, scheduled } = eventsOf('o-1')
const hold = { authorizationId: 'auth-o-1', amountMinor: 1500, currency: 'EUR' }

const answers = {
  authorized: { outcome: 'authorized', authorizationId: 'auth-o-1', authorizedAt: now },
  declined: { outcome: 'declined', code: 'card_expired', declinedAt: now },
  voided: { outcome: 'voided', voidedAt: now },
  captured: { outcome: 'captured', captureId: 'capt-1', capturedAt: now },
}
const contradicted = (code: string) => ({ outcome: 'contradicted', code })
const answer = (kind: string, said: object): Input => ({ key: 'o-1', kind, answer: said })
const authorized = answer('authorize', answers.authorized)

function after(...inputs: Input[]) {
  const { memory, events, calls } = handleAll<Payment, never>(payment, emptyMemory, inputs)
  return { state: memory.states.get('o-1'), events, calls }
}

describe('payment', () => {
  test('an order placed asks for a hold of its total', () => {
    expect(after(placed).calls).toEqual([
      { kind: 'authorize', request: { orderId: 'o-1', amountMinor: 1500, currency: 'EUR' } },
    ])
  })

  test('a hold is announced and waits', () => {
    expect(after(placed, authorized)).toEqual({
      state: { phase: 'authorized', ...hold },
      events: [{ type: 'PaymentAuthorized', data: { orderId: 'o-1', ...hold, authorizedAt: now } }],
      calls: [],
    })
  })

  test('a decline is announced with its reason', () => {
    expect(after(placed, answer('authorize', answers.declined))).toEqual({
      state: { phase: 'declined' },
      events: [{ type: 'PaymentDeclined', data: { orderId: 'o-1', reason: 'card_expired', declinedAt: now } }],
      calls: [],
    })
  })

  test('a shipment takes the money', () => {
    expect(after(placed, authorized, scheduled).calls).toEqual([
      { kind: 'capture', request: { authorizationId: 'auth-o-1', amountMinor: 1500 } },
    ])
    expect(after(placed, authorized, scheduled, answer('capture', answers.captured)).events).toEqual([
      { type: 'PaymentCaptured', data: { orderId: 'o-1', captureId: 'capt-1', ...hold, capturedAt: now } },
    ])
  })

  test.each([rejected, cancelled])('$type gives the hold back', (end) => {
    expect(after(placed, authorized, end).calls).toEqual([{ kind: 'void', request: { authorizationId: 'auth-o-1' } }])
    expect(after(placed, authorized, end, answer('void', answers.voided)).events).toEqual([
      { type: 'PaymentVoided', data: { orderId: 'o-1', authorizationId: 'auth-o-1', voidedAt: now } },
    ])
  })

  test('an order that ends while the hold is asked for gives it back as soon as it is there', () => {
    expect(after(placed, rejected).calls).toEqual([])
    const { events, calls } = after(placed, rejected, authorized)
    expect(typesOf(events)).toEqual(['PaymentAuthorized'])
    expect(calls).toEqual([{ kind: 'void', request: { authorizationId: 'auth-o-1' } }])
  })

  test('an order that ended before it was seen is never authorized', () => {
    expect(after(cancelled, placed)).toEqual({ state: { phase: 'closed' }, events: [], calls: [] })
  })

  test.each([
    ['a shipment of an order that ended', [placed, authorized, cancelled, scheduled]],
    ['a shipment of an order that ended while authorizing', [placed, cancelled, scheduled]],
    ['a shipment of a declined order', [placed, answer('authorize', answers.declined), scheduled]],
    ['an end after the shipment', [placed, authorized, scheduled, cancelled]],
    ['an end after a shipment that came too early', [scheduled, cancelled]],
    ['a decline after the shipment', [placed, scheduled, answer('authorize', answers.declined)]],
    [
      'a void the gateway contradicts',
      [placed, authorized, cancelled, answer('void', contradicted('already_captured'))],
    ],
    [
      'a capture the gateway contradicts',
      [placed, authorized, scheduled, answer('capture', contradicted('already_voided'))],
    ],
    ['an authorization the gateway contradicts', [placed, answer('authorize', contradicted('invalid_request'))]],
  ])('%s is a broken promise', (_, inputs) => {
    expect(() => after(...inputs)).toThrow(expect.objectContaining({ code: 'INVARIANT' }))
  })
})

describe('payment, in every interleaving and with every event told twice', () => {
  const gateway = (authorization: 'authorized' | 'declined') => (call: CallIntent) =>
    ({ authorize: answers[authorization], void: answers.voided, capture: answers.captured })[call.kind] as object
  const endings = (authorization: 'authorized' | 'declined', inventory: Emitted[], shipping: Emitted[]) => [
    ...everyInterleaving({
      definition: payment,
      start: emptyMemory,
      key: 'o-1',
      topics: [twice([placed]), twice(inventory), twice(shipping)],
      answer: gateway(authorization),
    }),
  ]
  /** The different sequences of calls and events there are. */
  const outcomes = (...scenario: Parameters<typeof endings>) =>
    new Set(
      endings(...scenario).map(({ calls, events }) => [...calls.map(({ kind }) => kind), ...typesOf(events)].join(' ')),
    )

  test('an order that never ends holds its money once', () => {
    expect(outcomes('authorized', [], [])).toEqual(new Set(['authorize PaymentAuthorized']))
    expect(outcomes('declined', [], [])).toEqual(new Set(['authorize PaymentDeclined']))
  })

  test('an order that ends holds nothing: voided, declined or never authorized', () => {
    const voided = 'authorize void PaymentAuthorized PaymentVoided'
    for (const [inventory, shipping] of [
      [[rejected], []],
      [[], [cancelled]],
      [[rejected], [cancelled]],
    ] as const) {
      expect(outcomes('authorized', [...inventory], [...shipping])).toEqual(new Set(['', voided]))
      expect(outcomes('declined', [...inventory], [...shipping])).toEqual(new Set(['', 'authorize PaymentDeclined']))
    }
  })

  test('an order that is shipped pays once', () => {
    const paid = 'authorize capture PaymentAuthorized PaymentCaptured'
    expect(outcomes('authorized', [], [scheduled])).toEqual(new Set([paid]))
  })
})
