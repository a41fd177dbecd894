import { describe, expect, test } from '@jest/globals'
import { eventTypes } from '../../schemas/topics.ts'
import { generateEvents } from '../sample-data/event-generator.ts'
import { createEventReader } from './event-json.ts'
import { unknownType } from './event-type-names.ts'

const read = createEventReader({ seed: 1 })
const delivery = { sku: 'a', quantity: 5, replenishedAt: 1_767_592_800_000 }
const line = (changes: object) => JSON.stringify({ type: 'StockReplenished', data: delivery, ...changes })
const withData = (changes: object) => line({ data: { ...delivery, ...changes } })

describe('reading events written as JSON', () => {
  test.each(eventTypes)('%s: as written, whatever is generated', (type) => {
    for (const event of generateEvents(type, { count: 50, seed: 3 })) {
      expect(read(JSON.stringify(event)).event).toMatchObject(event)
    }
  })

  test('takes bare data of the type given', () => {
    const { event } = createEventReader({ seed: 1, type: 'StockReplenished' })(JSON.stringify(delivery))
    expect(event).toMatchObject({ type: 'StockReplenished', data: delivery })
  })

  test('takes 64-bit integers as strings, ids and times as given', () => {
    const { event } = read(
      line({ id: 'delivery-7', time: '2026-01-05T06:00:00Z', data: { ...delivery, replenishedAt: '1767592800000' } }),
    )
    expect(event).toEqual({ type: 'StockReplenished', id: 'delivery-7', time: 1_767_592_800_000, data: delivery })
  })

  test('gives events without an id one by type, content and seed, wherever they stand', () => {
    const id = (seed: number | undefined, text: string) => createEventReader({ seed })(text).event?.id
    expect(id(1, line({}))).toBe(id(1, line({})))
    const bare = createEventReader({ type: 'StockReplenished' })(JSON.stringify(delivery)).event?.id
    expect(bare).toBe(id(undefined, line({})))
    const ids = [id(1, line({})), id(2, line({})), id(1, withData({ quantity: 6 }))]
    expect(new Set(ids).size).toBe(3)
  })

  test.each([
    ['{', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    [JSON.stringify(delivery), 'type is missing'],
    [line({ type: 'StockReplenishd' }), 'Did you mean StockReplenished?'],
    [line({ data: 7 }), 'data is 7: not an object'],
    [line({ subject: 'a' }), 'subject is not known'],
    [line({ id: 'two words' }), 'id is not'],
    [line({ time: 'yesterday' }), 'time "yesterday" is neither'],
    [line({ time: '2026-01-05T06:00:00' }), 'has no offset: write 2026-01-05T06:00:00Z for UTC'],
    [line({ time: '2026' }), 'time "2026" is neither'],
    [line({ time: '11/28/2026' }), 'time "11/28/2026" is neither'],
    [line({ time: 12 }), 'time 12 is neither'],
    [line({ time: 1.5 }), 'time 1.5 is neither'],
    [line({ time: true }), 'time is neither a text nor a number'],
    [line({ time: null }), 'time is neither a text nor a number'],
    [withData({ quantity: undefined }), 'data.quantity is missing'],
    [withData({ quantity: '5' }), 'data.quantity is "5"'],
    [withData({ quantity: 2 ** 31 }), 'data.quantity is 2147483648'],
    [withData({ quantity: 1.5 }), 'data.quantity is 1.5'],
    [withData({ quantity: 0 }), 'data.quantity is 0'],
    [withData({ replenishedAt: '9007199254740993' }), 'data.replenishedAt is a text'],
    [withData({ sku: 7 }), 'data.sku is 7: not a string'],
    [withData({ sku: '' }), 'data.sku is empty'],
    [withData({ colour: 'red' }), 'data.colour is not known'],
  ])('says what is wrong with %s', (text, fault) => {
    expect(read(text).faults).toEqual([expect.stringContaining(fault)])
  })

  test('names every fault of an event, with the place in lists', () => {
    const [order] = generateEvents('OrderPlaced', { count: 1, seed: 1 })
    const data = { ...order?.data, lines: [{ sku: 'a', quantity: 'x', unitPriceMinor: 1 }], totalMinor: null }
    const { faults } = read(JSON.stringify({ type: 'OrderPlaced', data }))
    expect(faults).toEqual([
      expect.stringContaining('data.lines[0].quantity is a text'),
      expect.stringContaining('data.lines[0].amountMinor is missing'),
      expect.stringContaining('data.totalMinor is null'),
    ])
  })
})

test('names the event type that was perhaps meant, and where all are listed', () => {
  expect(unknownType('orderplaced')).toContain('Did you mean OrderPlaced?')
  expect(unknownType('Zebra')).not.toContain('Did you mean')
  expect(unknownType('Zebra')).toMatch(/no event type Zebra\. `npm run produce -- --help` lists them$/)
})
