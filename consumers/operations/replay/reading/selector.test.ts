import { expect, test } from '@jest/globals'
import type { IHeaders, KafkaMessage } from 'kafkajs'
import { matches } from './selector.ts'

const codec = { schemaIdOf: () => 7, typeOf: () => 'OrderPlaced' as const }
const record = (headers: object): KafkaMessage => ({
  key: Buffer.from('order-1'),
  value: Buffer.alloc(0),
  headers: headers as IHeaders,
  timestamp: '0',
  attributes: 0,
  offset: '0',
})

test('a header is found by name, by value, and among several of its name', () => {
  const one = record({ shop: Buffer.from('north') })
  expect(matches({ headers: [{ name: 'shop' }] }, one, codec)).toBe(true)
  expect(matches({ headers: [{ name: 'shop', value: 'north' }] }, one, codec)).toBe(true)
  expect(matches({ headers: [{ name: 'shop', value: 'south' }] }, one, codec)).toBe(false)
  expect(matches({ headers: [{ name: 'till' }] }, one, codec)).toBe(false)
  const several = record({ shop: [Buffer.from('south'), Buffer.from('north')] })
  expect(matches({ headers: [{ name: 'shop', value: 'north' }] }, several, codec)).toBe(true)
})

test('a header that comes twice and once without a value keeps nobody from choosing', () => {
  const odd = record({ shop: [null, Buffer.from('north')] })
  expect(matches({ headers: [{ name: 'shop', value: 'north' }] }, odd, codec)).toBe(true)
  expect(matches({ headers: [{ name: 'shop', value: '' }] }, odd, codec)).toBe(false)
})

test('all that is asked for must hold', () => {
  const one = record({ shop: Buffer.from('north') })
  expect(matches({ keys: ['order-1'], types: ['OrderPlaced'] }, one, codec)).toBe(true)
  expect(matches({ keys: ['order-2'], types: ['OrderPlaced'] }, one, codec)).toBe(false)
  expect(matches({ keys: ['order-1'], types: ['StockReserved'] }, one, codec)).toBe(false)
})
