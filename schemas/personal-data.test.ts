import { expect, test } from '@jest/globals'
import { parseSchema } from './avro-schema.ts'
import { changePersonal, findPersonal, hasClearText, personalFields } from './personal-data.ts'
import { sealingKey, sealText } from '../infra/security/sealed-text.ts'
import { eventTypes } from './topics.ts'

const cancelled = { orderId: 'o-1', reason: 'requested', detail: 'I moved', cancelledAt: 1_750_000_000_000 }

test('these fields are about people', () => {
  const fields = eventTypes.flatMap((type) => personalFields(type).map((path) => `${type}.${path.join('.')}`))
  expect(fields.toSorted()).toEqual([
    'CancellationRequested.reason',
    'FulfilmentCancelled.detail',
    'OrderPlaced.shipTo.city',
    'OrderPlaced.shipTo.postalCode',
    'OrderPlaced.shipTo.recipient',
    'OrderPlaced.shipTo.street',
  ])
})

test('only they change, and the event that was given stays as it is', () => {
  const changed = changePersonal('FulfilmentCancelled', cancelled, (text) => text.toUpperCase())
  expect(changed).toEqual({ ...cancelled, detail: 'I MOVED' })
  expect(cancelled.detail).toBe('I moved')
})

test('a text is clear until it is sealed; an empty one says nothing', () => {
  const key = sealingKey(1, 'c-1', Buffer.alloc(32))
  const detail = (text: string) => hasClearText('FulfilmentCancelled', { ...cancelled, detail: text })
  expect([detail('I moved'), detail(sealText(key, 'I moved')), detail('')]).toEqual([true, false, false])
})

const record = (type: unknown, more: object = {}) =>
  parseSchema({ type: 'record', name: 'R', fields: [{ name: 'f', type, ...more }] })
const inner = { type: 'record', name: 'I', fields: [{ name: 'g', type: 'string', personal: true }] }

test.each([
  ['a number', record('int', { personal: true }), 'f is marked as personal, but is not a string'],
  ['a list', record({ type: 'array', items: inner }), 'f.g is marked as personal, but lies in a array'],
  ['a union', record(['null', inner]), 'f.g is marked as personal, but lies in a union'],
])('a mark in %s is refused: nothing would be sealed there', (_where, schema, message) => {
  expect(() => findPersonal(schema)).toThrow(message)
})
