import { describe, expect, test } from '@jest/globals'
import { orderPlaced } from '../runtime/testing/tally-consumer.ts'
import type { Context } from '../runtime/handler.ts'
import { emptyLine, eventArrived, messageConfirmed } from './decide-forwarding.ts'
import type { Line } from './decide-forwarding.ts'
import { messageOf } from './message.ts'

const context = (eventId: string): Context => ({
  key: 'o-1',
  eventId,
  time: 1_800_000_000_000,
  at: { topic: 'orders', partition: 0, offset: 1 },
  envelope: () => ({ source: '/tally/orders-api', correlationId: 'o-1', causationId: 'cause' }),
})
const { data } = orderPlaced('o-1')
const arrive = (line: Line, eventId: string) =>
  eventArrived('OrderPlaced', data, line, { context: context(eventId), check: () => {} })
const idsOf = ({ calls = [] }: ReturnType<typeof messageConfirmed>) =>
  calls.map(({ request }) => (request as ReturnType<typeof messageOf>).attributes.id)

describe('events of one key', () => {
  test('the first one is sent, the others wait for its confirmation, in order', () => {
    const first = arrive(emptyLine, 'a')
    const second = arrive(first.state as Line, 'b')
    expect([idsOf(first), idsOf(second)]).toEqual([['a'], []])
    expect((second.state as Line).fresh.map((message) => message?.attributes.id)).toEqual([undefined, 'b'])
  })

  test('a confirmation sends the next stored one', () => {
    const next = messageOf('OrderPlaced', data, context('b'))
    const decision = messageConfirmed({ sending: true, first: 7, next, fresh: [] })
    expect(idsOf(decision)).toEqual(['b'])
    expect(decision.state).toMatchObject({ sending: true, confirmed: 7 })
  })

  test('after the last confirmation the next event is sent at once', () => {
    const { state } = messageConfirmed({ sending: true, first: 7, fresh: [] })
    expect(state).toMatchObject({ sending: false, confirmed: 7 })
    expect(idsOf(arrive(state as Line, 'c'))).toEqual(['c'])
  })

  test('a confirmation in the batch of an event behind it sends that event', () => {
    const { state } = arrive({ sending: true, first: 7, fresh: [] }, 'b')
    expect(idsOf(messageConfirmed(state as Line))).toEqual(['b'])
  })

  test('a confirmation counts once', () => {
    const { state } = messageConfirmed({ sending: true, first: 7, fresh: [] })
    expect(messageConfirmed(state as Line)).toEqual({})
    expect(messageConfirmed(emptyLine)).toEqual({})
  })

  test('an event that the queue can never take is refused before anything is sent', () => {
    const check = () => {
      throw new Error('too large')
    }
    expect(() => eventArrived('OrderPlaced', data, emptyLine, { context: context('a'), check })).toThrow('too large')
  })
})

test('a message has the attributes of its event; without a source its topic stands for it', () => {
  expect(messageOf('OrderPlaced', data, context('a')).attributes).toEqual({
    specversion: '1.0',
    id: 'a',
    type: 'tally.orders.OrderPlaced',
    source: '/tally/orders-api',
    time: '2027-01-15T08:00:00.000Z',
    subject: 'o-1',
    correlationid: 'o-1',
    causationid: 'cause',
  })
  expect(messageOf('OrderPlaced', data, { ...context('a'), envelope: () => ({}) }).attributes).toMatchObject({
    source: '/tally/orders',
    correlationid: 'o-1',
  })
})
