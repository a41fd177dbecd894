import { expect, test } from '@jest/globals'
import avro from 'avsc'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAvroOrders } from './avro-orders.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'NewOrder.avsc'), 'utf8')) as { fields: object[] }
const order = {
  customerId: 'c-1',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 2 }],
  shipTo: { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' },
}

/** A registry that knows these schemas by id. */
async function registryOf(schemas: Record<number, object>) {
  const server = createServer((request, response) => {
    const found = schemas[Number(request.url?.split('/').at(-1))]
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ? { schema: JSON.stringify(found) } : { error_code: 40403 }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const framed = (id: number, of: object, value: object) => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, avro.Type.forSchema(of as avro.Schema).toBuffer(value)])
}

test('an order is read with the schema of its sender, whose other fields are passed over', async () => {
  const wider = { ...schema, fields: [...schema.fields, { name: 'channel', type: 'string' }] }
  await using registry = await registryOf({ 1: schema, 2: wider })
  const orders = createAvroOrders(registry.url)
  expect(await orders.read(framed(1, schema, order))).toEqual(order)
  expect(await orders.read(framed(2, wider, { ...order, channel: 'shop' }))).toEqual(order)
})

test('bytes that are no order are refused, each with its reason', async () => {
  const note = { type: 'record', name: 'Note', fields: [{ name: 'text', type: 'string' }] }
  await using registry = await registryOf({ 1: schema, 3: note })
  const orders = createAvroOrders(registry.url)
  const whole = framed(1, schema, order)
  const refusals: [Buffer, RegExp][] = [
    [framed(3, note, { text: 'tea' }), /schema 3 is not an order/],
    [framed(9, schema, order), /schema 9 is unknown/],
    [whole.subarray(0, whole.length - 4), /./],
    [Buffer.from([0, 0, 0]), /./],
  ]
  for (const [bytes, message] of refusals)
    await expect(orders.read(bytes)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(message),
    })
})

test('without the registry nothing is said about a message', async () => {
  const orders = createAvroOrders('http://127.0.0.1:1')
  await expect(orders.read(framed(1, schema, order))).rejects.toMatchObject({ code: 'UNREACHABLE' })
})
