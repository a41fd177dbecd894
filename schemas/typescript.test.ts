import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { parseSchema } from './avro-schema.ts'
import type { RecordType } from './avro-schema.ts'
import { eventFullNames } from './generated/events.ts'
import type { EventType } from './generated/events.ts'
import { loadSchemas } from './load-schemas.ts'
import type { EventSchema } from './load-schemas.ts'
import { eventTypes } from './topics.ts'
import { toTypeScript } from './typescript.ts'

function event(name: string, ...fields: { name: string; type: unknown; doc?: string }[]): EventSchema {
  const schema = { type: 'record', name, namespace: 'shop', doc: 'Something happened.', fields }
  return { type: name as EventType, schema, json: JSON.stringify(schema), record: parseSchema(schema) as RecordType }
}
const field = (name: string, type: unknown) => ({ name, type, doc: `The ${name}` })

test('every kind of type has its counterpart', () => {
  const fields = [
    field('count', 'int'),
    field('paid', 'boolean'),
    field('at', { type: 'long', logicalType: 'timestamp-millis' }),
    field('note', ['null', 'string']),
    field('raw', 'bytes'),
    field('tags', { type: 'array', items: ['null', 'string'] }),
    field('sizes', { type: 'map', values: 'double' }),
    field('state', { type: 'enum', name: 'State', symbols: ['OPEN', 'DONE'], doc: 'How far' }),
    field('hash', { type: 'fixed', name: 'Hash', size: 16 }),
    field('buyer', { type: 'record', name: 'Person', fields: [field('name', 'string')] }),
    field('payer', 'Person'),
  ]
  expect(toTypeScript([event('Sold', ...fields)])).toBe(`// Generated from schemas/avro, do not edit: npm run generate

/** Something happened. */
export interface Sold {
  /** The count */
  count: number
  /** The paid */
  paid: boolean
  /** The at */
  at: number
  /** The note */
  note: string | null
  /** The raw */
  raw: Buffer
  /** The tags */
  tags: Array<string | null>
  /** The sizes */
  sizes: Record<string, number>
  /** The state */
  state: State
  /** The hash */
  hash: Hash
  /** The buyer */
  buyer: Person
  /** The payer */
  payer: Person
}

/** How far */
export type State = 'OPEN' | 'DONE'

/** 16 bytes. */
export type Hash = Buffer

export interface Person {
  /** The name */
  name: string
}

export interface EventData {
  Sold: Sold
}

export type EventType = keyof EventData

/** Full names of the records, as in a schema and in the header \`ce_type\`. */
export const eventFullNames: Record<EventType, string> = {
  Sold: 'shop.Sold',
}
`)
})

const person = (namespace: string, ...fields: object[]) => ({ type: 'record', name: 'Person', namespace, fields })

test.each<[string, EventSchema[], string]>([
  [
    'a field without doc',
    [event('Sold', { name: 'x', type: 'int' })],
    'shop.Sold.x has no doc: say what it means, in which unit',
  ],
  [
    'a real union',
    [event('Sold', field('x', ['int', 'string']))],
    'shop.Sold.x is a union of more than null and one type',
  ],
  [
    'one name, two definitions',
    [event('A', field('x', person('shop'))), event('B', field('x', person('shop', field('name', 'string'))))],
    'shop.Person is defined twice and differently',
  ],
  [
    'two names with one end',
    [event('A', field('x', person('shop'))), event('B', field('x', person('club')))],
    'club.Person and shop.Person would share one TypeScript name',
  ],
])('%s is refused', (_, schemas, message) => {
  expect(() => toTypeScript(schemas)).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID', message }))
})

test('the committed types are those of the schemas, and every event has its topic', () => {
  const committed = readFileSync(new URL('generated/events.ts', import.meta.url), 'utf8')
  expect(toTypeScript(loadSchemas())).toBe(committed)
  expect(eventTypes.toSorted()).toEqual(Object.keys(eventFullNames).toSorted())
})
