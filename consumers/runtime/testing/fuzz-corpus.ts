import type { IHeaders } from 'kafkajs'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { Random } from '../../../infra/testing/random.ts'
import { orderPlaced } from './tally-consumer.ts'

/** A malformed record. */
export interface FuzzCase {
  readonly name: string
  /** Order it counts for if it is handled. */
  readonly orderId: string
  /** Expected result. `either`: the codec may or may not read the damaged bytes as an event. */
  readonly becomes: 'taken' | 'parked' | 'ignored' | 'either'
  readonly key: Buffer | string | null
  readonly value: Buffer | null
  readonly headers?: IHeaders
  /** Epoch milliseconds. */
  readonly timestamp?: string
}

/** Number of records of the random kinds. */
export interface FuzzAmounts {
  bitFlips: number
  bombs: number
}

type Change = Partial<Omit<FuzzCase, 'name' | 'orderId'>>

/** Every way a record of OrderPlaced can be malformed, each with a separate order. The same seed gives the same records. */
export function fuzzCorpus(codec: Pick<Codec, 'encode'>, seed: number, amounts: FuzzAmounts): FuzzCase[] {
  const random = new Random(seed)
  const cases: FuzzCase[] = []
  const add = (name: string, change: (valid: { value: Buffer; headers: Record<string, string> }) => Change) => {
    const orderId = `o-fuzz-${seed}-${cases.length}`
    const value = codec.encode('OrderPlaced', { ...orderPlaced(orderId).data, placedAt: 1_700_000_000_000 })
    const headers = headersOf(orderId, `fuzz ${seed}/${cases.length}`)
    cases.push({ name, orderId, key: orderId, value, headers, becomes: 'taken', ...change({ value, headers }) })
  }
  const damaged = (name: string, damage: (value: Buffer) => Buffer | null, becomes: FuzzCase['becomes'] = 'parked') =>
    add(name, ({ value }) => ({ value: damage(Buffer.from(value)), becomes }))
  const withHeaders = (name: string, change: IHeaders, becomes: FuzzCase['becomes'] = 'taken') =>
    add(name, ({ headers }) => ({ headers: { ...headers, ...change }, becomes }))

  for (let i = 0; i < amounts.bitFlips; i++) damaged('one bit turned', (value) => flipBit(value, random), 'either')
  for (let i = 0; i < amounts.bombs; i++) damaged('a count or length bomb', (value) => plantBomb(value, random))
  for (let left = 0; left < 60; left += 7) damaged(`cut to ${left} bytes`, (value) => value.subarray(0, left))
  damaged('a byte too many', (value) => Buffer.concat([value, Buffer.from([0])]))
  damaged('a tombstone', () => null)
  damaged('an unknown schema id', (value) => (value.writeInt32BE(random.integer(1e9, 2e9), 1), value))
  damaged('the schema id 0', (value) => (value.writeInt32BE(0, 1), value))
  damaged('a negative schema id', (value) => (value.writeInt32BE(-7, 1), value))
  damaged('another magic byte', (value) => (value.writeUInt8(1, 0), value))
  damaged('JSON', () => Buffer.from('{"orderId":"o-1"}'))
  damaged('900 kB of zeros', (value) => Buffer.concat([value.subarray(0, 5), Buffer.alloc(900_000)]))
  damaged('900 kB of noise', () => Buffer.from(Array.from({ length: 900_000 }, () => random.integer(0, 255))))
  damaged('an order id of 900 kB', (value) => withOrderId(value, 'x'.repeat(900_000)))
  for (const name of ['OrderPlaced', 'tally.orders.orderplaced', 'com.example.Foreign'])
    add(`JSON that says ${name}`, ({ headers }) => ({
      value: Buffer.from('{"orderId":"o-1"}'),
      headers: { ...headers, ce_type: name, 'content-type': 'application/json' },
      becomes: 'parked',
    }))
  add('JSON in the structured mode of CloudEvents', () => ({
    value: Buffer.from('{"specversion":"1.0","type":"tally.orders.OrderPlaced","data":{}}'),
    headers: { 'content-type': 'application/cloudevents+json' },
    becomes: 'parked',
  }))
  add('a type nobody here handles', ({ headers }) => ({ ...otherType(codec, headers), becomes: 'ignored' }))

  const flood = Array.from({ length: 10_000 }, (_, i) => [`h${i}`, 'x'] as const)
  withHeaders('10,000 headers', Object.fromEntries(flood))
  withHeaders('10,000 headers of one name', { same: Array<string>(10_000).fill('x') })
  withHeaders('a header of 900 kB', { big: 'x'.repeat(900_000) })
  withHeaders('binary headers', { ce_source: Buffer.from([0xff, 0xfe, 0]), 'bin\xff': Buffer.from([0, 1, 0xc3]) })
  withHeaders('header names that mean something to JavaScript', oddNames)
  withHeaders('a type that lies', { ce_type: 'tally.payments.PaymentAuthorized' })
  add('no headers', () => ({ headers: {} }))
  for (const id of [
    'INV/2026/0815',
    '',
    'with\0nul',
    'x'.repeat(5_000),
    '01890000',
    '00000000-0000-0000-0000-000000000000',
  ])
    withHeaders(`the id ${JSON.stringify(id.slice(0, 40))}`, { ce_id: id })
  for (const time of [0, 1, Date.UTC(1985, 0, 1), Date.UTC(2090, 0, 1), 2 ** 48 - 1])
    withHeaders(`an id that carries the time ${time}`, { ce_id: timedId(time) })
  withHeaders('an id used before', { ce_id: 'twice', ce_source: '/one' })
  withHeaders('the same id from another source', { ce_id: 'twice', ce_source: '/two' })
  withHeaders('an array of ids', { ce_id: ['first', 'second'] })
  for (const time of ['garbage', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z', ''])
    withHeaders(`the time ${time}`, { ce_time: time }, 'parked')
  withHeaders('odd lineage', {
    ce_correlationid: 'c\0'.repeat(99),
    ce_causationid: 'x'.repeat(9_000),
    ce_sequence: '1e400',
    ce_sourcelane: '../..',
    traceparent: '00-zz',
  })
  for (const timestamp of ['-1', '0', '1', '253402300800000', '9223372036854775807'])
    add(`no time but the record's, ${timestamp}`, () => ({ timestamp, headers: {}, becomes: 'parked' }))

  add('no key', () => ({ key: null }))
  for (const key of ['', 'nul\0', '__proto__', Buffer.from([0xff, 0xfe, 0x80]), 'k'.repeat(200_000)])
    add(`garbage under the key ${String(key).slice(0, 12)}`, ({ value }) => ({
      key,
      value: value.subarray(0, 9),
      becomes: 'parked',
    }))
  for (const orderId of ['', 'nul\0', 'x'.repeat(5_000)])
    damaged(`the order id ${JSON.stringify(orderId.slice(0, 12))}`, (value) => withOrderId(value, orderId))
  return cases
}

const oddNames = JSON.parse(
  '{"__proto__":"a","constructor":"b","toString":"c","":"d","hasOwnProperty":"e"}',
) as IHeaders

const headersOf = (subject: string, id: string): Record<string, string> =>
  toHeaders({ id, type: 'OrderPlaced', source: '/fuzz', time: 1_700_000_000_000, subject, correlationId: subject })

function flipBit(value: Buffer, random: Random): Buffer {
  const position = random.integer(0, value.length - 1)
  value.writeUInt8(value.readUInt8(position) ^ (1 << random.integer(0, 7)), position)
  return value
}

/** Lengths and counts: of gigabytes, negative, and longer than any number. */
const bombs = ['feffffff0f', 'ffffffff0f', '01', 'ffffffffffffffffff01', 'ffffffffffffffffffffff', '8080808080'].map(
  (hex) => Buffer.from(hex, 'hex'),
)

/** Replaces the order id's length or anything after it. */
function plantBomb(value: Buffer, random: Random): Buffer {
  const position = random.pick([5, 5, random.integer(6, value.length - 12)])
  return Buffer.concat([value.subarray(0, position), random.pick(bombs), value.subarray(position + 1, position + 3)])
}

/** Our encoder refuses such an order; another producer's might not. The order id is the first field. */
function withOrderId(value: Buffer, orderId: string): Buffer {
  const rest = value.subarray(6 + (value.readUInt8(5) >> 1))
  const length = Buffer.alloc(4)
  let zigzag = Buffer.byteLength(orderId) * 2
  let used = 0
  for (; zigzag >= 0x80; zigzag >>>= 7) length.writeUInt8((zigzag & 0x7f) | 0x80, used++)
  length.writeUInt8(zigzag, used++)
  return Buffer.concat([value.subarray(0, 5), length.subarray(0, used), Buffer.from(orderId), rest])
}

const otherType = (codec: Pick<Codec, 'encode'>, headers: IHeaders): Change => ({
  value: codec.encode('CancellationRequested', { orderId: 'o-1', reason: 'none', requestedAt: 1_700_000_000_000 }),
  headers: { ...headers, ce_type: 'tally.orders.CancellationRequested' },
})

/** A UUIDv7 with an arbitrary time. */
function timedId(ms: number): string {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7abc-8def-0123456789ab`
}
