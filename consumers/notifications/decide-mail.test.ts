import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import consumer from './consumer.ts'
import type { Mails } from './decide-mail.ts'

const { handlers, state } = consumer()
const types = Object.keys(handlers) as (keyof typeof handlers)[]

/** The mails after events of these types, in this order. */
const mailsAfter = (arrivals: typeof types) =>
  arrivals.reduce((mails: Mails, type, index) => {
    const context = { key: 'order-1', eventId: `event-${index}`, time: index }
    return handlers[type]?.({ carrier: 'Swift' } as never, mails, context, new Map<string, never>()).state ?? mails
  }, state.initial('order-1'))

describe('the mails of an order', () => {
  test('are one per kind of event seen, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...types)), (arrivals) => {
        const { fresh } = mailsAfter(arrivals)
        const firsts = [...new Set(arrivals)]
        expect(fresh.map(({ eventId }) => eventId)).toEqual(firsts.map((type) => `event-${arrivals.indexOf(type)}`))
        expect(new Set(fresh.map(({ kind }) => kind)).size).toBe(firsts.length)
      }),
    )
  })

  test.each([
    ['requested', 'Your order is cancelled'],
    ['carrier_refused', 'The carrier cannot deliver your order, so it ends here and you pay nothing'],
    ['timed_out', 'We could not prepare your order in time, so it ends here and you pay nothing'],
    ['a reason of later', 'Your order is cancelled'],
  ])('say why an order was cancelled: %s', (reason, subject) => {
    const context = { key: 'order-1', eventId: 'event-1', time: 1 }
    const none = state.initial('order-1')
    expect(
      handlers.FulfilmentCancelled?.({ reason } as never, none, context, new Map<string, never>()).state?.fresh,
    ).toMatchObject([{ kind: 'cancelled', subject }])
  })

  test('do not repeat what an earlier batch wrote', () => {
    const known: Mails = { known: ['shipped'], fresh: [] }
    const context = { key: 'order-1', eventId: 'event-1', time: 1 }
    expect(
      handlers.ShipmentScheduled?.({ carrier: 'Swift' } as never, known, context, new Map<string, never>()),
    ).toEqual({})
  })
})
