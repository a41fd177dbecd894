import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { arrayLiteral } from './array-literal.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'

const storable = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
const kinds: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['text', storable],
  ['text', fc.constantFrom('', 'NULL', 'null', '{}', ' ', ',', '"', '\\', '\n', '\\"')],
  ['bigint', fc.maxSafeInteger()],
  ['double precision', fc.double().map((number) => number + 0)],
  ['boolean', fc.boolean()],
  ['bytea', fc.uint8Array().map((bytes) => Buffer.from(bytes))],
  ['timestamptz', fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-30'), noInvalidDate: true })],
]

test('arrays come back as they went', async () => {
  await using sandbox = createSandbox()
  for (const [kind, values] of kinds) {
    const lists = fc.sample(fc.array(fc.option(values), { maxLength: 50 }), 30)
    for (const list of lists) {
      const { rows } = await sandbox.pool.query<{ value: unknown }>(
        `select value from unnest($1::${kind}[]) with ordinality as t (value, n) order by n`,
        [arrayLiteral(list)],
      )
      expect({ kind, values: rows.map(({ value }) => value) }).toEqual({ kind, values: list })
    }
  }
})

test('what it does not know is left to others', () => {
  expect(arrayLiteral([new Date(Number.NaN)])).toBeUndefined()
  expect(arrayLiteral([new Date('+010000-01-01')])).toBeUndefined()
  expect(arrayLiteral([{ a: 1 }])).toBeUndefined()
  expect(arrayLiteral([[1], [2]])).toBeUndefined()
  expect(arrayLiteral([undefined, null])).toBe('{NULL,NULL}')
})
