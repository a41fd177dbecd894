import { describe, expect, test } from '@jest/globals'
import { decide } from '../runtime/batch/decide.ts'
import { defineConsumer } from '../runtime/handler.ts'
import type { Emitted } from '../runtime/handler.ts'
import type { RecordInput } from '../runtime/model.ts'
import { orderPlaced } from '../runtime/testing/tally-consumer.ts'

const time = 1_800_000_000_000
const order: RecordInput = {
  ...{ source: 'record', key: 'o-1', topic: 'orders', partition: 0, offset: 0, inboxId: 'id', placeId: () => 'place' },
  message: {} as RecordInput['message'],
  event: orderPlaced('o-1'),
  cause: { id: 'id', eventId: 'id', time, chainTime: time, correlationId: 'id' },
}
const lines = [{ sku: 'A', quantity: 1 }]
const reserved: Emitted = { type: 'StockReserved', data: { orderId: 'o-1', lines, reservedAt: time } }
const released: Emitted = { type: 'StockReleased', data: { orderId: 'o-1', lines, releasedAt: time } }
const another: Emitted = { type: 'StockReserved', data: { orderId: 'o-1', lines: [], reservedAt: time } }

/** Ids of what a version of the handler emits, by content. */
const idsOf = (group: string, ...events: Emitted[]) => {
  const definition = defineConsumer<object>({
    group,
    state: { initial: () => ({}), load: async () => new Map(), save: async () => {} },
    handlers: { OrderPlaced: () => ({ events }) },
  })
  const outcome = decide([order], {
    ...{ definition, states: new Map(), shared: new Map<string, never>(), blocked: new Set<string>(), now: time },
    codec: { encode: (_type, data) => Buffer.from(JSON.stringify(data)) },
  })
  return new Map(outcome.events.map(({ eventId }, index) => [events[index], eventId]))
}

describe('the id of an event, after its handler has changed', () => {
  const before = idsOf('tester', reserved).get(reserved)

  test.each([
    ['emits another type first', [released, reserved]],
    ['emits one more of the type, behind it', [reserved, another]],
  ])('is the same if the handler now %s', (_change, events) =>
    expect(idsOf('tester', ...events).get(reserved)).toBe(before),
  )

  test('is the same for other content: a reader of the first one drops the second', () =>
    expect(idsOf('tester', another).get(another)).toBe(before))

  test('goes to another event if one of the type is put before it', () => {
    const after = idsOf('tester', another, reserved)
    expect([after.get(another), after.get(reserved) === before]).toEqual([before, false])
  })

  test('is another one in a group of another name', () =>
    expect(idsOf('renamed', reserved).get(reserved)).not.toBe(before))
})
