import { describe, expect, test } from '@jest/globals'
import { TallyError } from '../../../infra/errors.ts'
import type { QueueMessage } from '../message.ts'
import { readOrder } from './read-order.ts'

const order = {
  customerId: 'c-1',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 2 }],
  shipTo: { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' },
}
const noAvro = {
  read: async () => {
    throw new TallyError('UNREADABLE', 'schema 7 is unknown to the registry')
  },
}
const read = (message: Partial<QueueMessage>, avro = noAvro as { read(body: Buffer): Promise<unknown> }) =>
  readOrder({ id: 'm-1', body: Buffer.from(JSON.stringify(order)), deliveries: 1, ...message }, avro)
const json = (value: unknown) => Buffer.from(JSON.stringify(value))

test.each([undefined, '', 'application/json', 'application/json; charset=utf-8', 'application/octet-stream'])(
  'an order in JSON is read with the content type %p',
  async (contentType) => {
    expect(await read({ contentType })).toEqual({ order, id: 'm-1' })
  },
)

test('an order in Avro is read by its first byte, whatever the type says of bytes', async () => {
  const avro = { read: async (body: Buffer) => (expect(body[0]).toBe(0), order) }
  for (const contentType of [undefined, 'application/avro', 'avro/binary', 'application/octet-stream'])
    expect(await read({ contentType, body: Buffer.from([0, 0, 0, 0, 7, 1]) }, avro)).toEqual({ order, id: 'm-1' })
})

test('an order in Avro keeps the rules of the contract', async () => {
  const avro = { read: async () => ({ ...order, currency: 'euro' }) }
  const { refusal } = await read({ body: Buffer.from([0, 0, 0, 0, 7, 1]) }, avro)
  expect(refusal?.body).toMatchObject({ status: 400, errors: [{ path: '/currency' }] })
})

describe('each message that is no order has one clear problem', () => {
  test.each<[string, Partial<QueueMessage>, number, object]>([
    ['no message id', { id: undefined }, 400, { errors: [{ path: 'header/message-id' }] }],
    ['an empty message id', { id: '' }, 400, { errors: [{ path: 'header/message-id' }] }],
    ['a message id with a space', { id: 'a b' }, 400, { errors: [{ path: 'header/message-id' }] }],
    ['a message id that is too long', { id: 'a'.repeat(256) }, 400, { errors: [{ path: 'header/message-id' }] }],
    ['no body', { body: Buffer.alloc(0) }, 400, { detail: 'The body is not JSON.' }],
    ['text', { body: Buffer.from('two cups of tea') }, 400, { detail: 'The body is not JSON.' }],
    ['binary bytes', { body: Buffer.from([0xff, 0xfe, 0x01]) }, 400, { detail: 'The body is not UTF-8.' }],
    ['JSON that is no object', { body: json([order]) }, 400, { errors: [{ path: '' }] }],
    ['another event', { body: json({ type: 'OrderPlaced' }) }, 400, { detail: 'The request is not valid: 5 errors.' }],
    [
      'an unknown field',
      { body: json({ ...order, price: 1 }) },
      400,
      { errors: [{ path: '/price', message: 'is not known' }] },
    ],
    [
      'an unknown schema',
      { body: Buffer.from([0, 0, 0, 0, 7]) },
      400,
      { detail: 'The body cannot be read: schema 7 is unknown to the registry.' },
    ],
    ['256 KB', { body: Buffer.alloc(256 * 1024, 32) }, 413, { detail: 'The body is larger than 64 KB.' }],
    ['1 MiB', { body: Buffer.alloc(1024 * 1024, 32) }, 413, { detail: 'The body is larger than 64 KB.' }],
    ['compression', { contentEncoding: 'gzip' }, 415, { detail: 'The content encoding of the body is not supported.' }],
    ['XML', { contentType: 'application/xml' }, 415, { title: 'Unsupported Media Type' }],
    ['a type that only begins like JSON', { contentType: 'application/json5' }, 415, {}],
  ])('%s', async (_, message, status, problem) => {
    const { refusal } = await read(message)
    expect(refusal).toMatchObject({ status, body: { status, ...problem } })
  })
})

test('an Avro message is not judged while the registry is away', async () => {
  const away = {
    read: async () => {
      throw new TallyError('UNREACHABLE', 'away')
    },
  }
  await expect(read({ body: Buffer.from([0, 0, 0, 0, 7]) }, away)).rejects.toMatchObject({ code: 'UNREACHABLE' })
})
