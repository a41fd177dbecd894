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
      expect(read(JSON.stringify(event), 1).event).toMatchObject(event)
    }
  })

  test('takes bare data of the type given', () => {
    const { event } = createEventReader({ seed: 1, type: 'StockReplenished' })(JSON.stringify(delivery), 1)
    expect(event).toMatchObject({ type: 'StockReplenished', data: delivery })
  })

  test('takes 64-bit integers as strings, ids and times as given', () => {
    const { event } = read(
      line({ id: 'delivery-7', time: '2026-01-05T06:00:00Z', data: { ...delivery, replenishedAt: '1767592800000' } }),
      1,
    )
    expect(event).toEqual({ type: 'StockReplenished', id: 'delivery-7', time: 1_767_592_800_000, data: delivery })
  })

  test('gives events without an id one by seed, place and content', () => {
    const id = (seed: number, number: number, text: string) => createEventReader({ seed })(text, number).event?.id
    expect(id(1, 1, line({}))).toBe(id(1, 1, line({})))
    const ids = [id(1, 1, line({})), id(2, 1, line({})), id(1, 2, line({})), id(1, 1, withData({ quantity: 6 }))]
    expect(new Set(ids).size).toBe(4)
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
    [line({ time: 'yesterday' }), 'time is neither'],
    [line({ time: 12 }), 'time is neither'],
    [withData({ quantity: undefined }), 'data.quantity is missing'],
    [withData({ quantity: '5' }), 'data.quantity is "5"'],
    [withData({ quantity: 2 ** 31 }), 'data.quantity is 2147483648'],
    [withData({ quantity: 1.5 }), 'data.quantity is 1.5'],
    [withData({ quantity: 0 }), 'data.quantity is 0'],
    [withData({ replenishedAt: '9007199254740993' }), 'data.replenishedAt is "9007199254740993"'],
    [withData({ sku: 7 }), 'data.sku is 7: not a string'],
    [withData({ sku: '' }), 'data.sku is empty'],
    [withData({ colour: 'red' }), 'data.colour is not known'],
  ])('says what is wrong with %s', (text, fault) => {
    expect(read(text, 1).faults).toEqual([expect.stringContaining(fault)])
  })

  test('names every fault of an event, with the place in lists', () => {
    const [order] = generateEvents('OrderPlaced', { count: 1, seed: 1 })
    const data = { ...order?.data, lines: [{ sku: 'a', quantity: 'x', unitPriceMinor: 1 }], totalMinor: null }
    const { faults } = read(JSON.stringify({ type: 'OrderPlaced', data }), 1)
    expect(faults).toEqual([
      expect.stringContaining('data.lines[0].quantity is "x"'),
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
