import { expect, test } from '@jest/globals'
import { parseSchema } from './avro-schema.ts'
import type { RecordType } from './avro-schema.ts'

test('names are resolved, also inside themselves and across namespaces', () => {
  const tree = parseSchema({
    type: 'record',
    name: 'Tree',
    namespace: 'forest',
    aliases: ['Bush', 'garden.Hedge'],
    fields: [
      { name: 'children', type: { type: 'array', items: 'Tree' } },
      { name: 'kind', type: { type: 'enum', name: 'Kind', namespace: 'botany', symbols: ['OAK'] } },
      { name: 'other', type: 'botany.Kind', aliases: ['former'] },
    ],
  }) as RecordType
  const [children, kind, other] = tree.fields
  expect(tree).toMatchObject({ name: 'forest.Tree', aliases: ['forest.Bush', 'garden.Hedge'] })
  expect(children?.type).toMatchObject({ kind: 'array', items: tree })
  expect(kind?.type).toMatchObject({ name: 'botany.Kind' })
  expect(other).toMatchObject({ aliases: ['former'], type: kind?.type })
})

test('a default is there only where it is given, null included', () => {
  const { fields } = parseSchema({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'without', type: 'int' },
      { name: 'nothing', type: ['null', 'int'], default: null },
    ],
  }) as RecordType
  expect(fields.map((field) => field.default)).toEqual([undefined, null])
})

test.each([
  ['null', null, 'not a type: null'],
  ['a number', 5, 'not a type: 5'],
  ['a record without name', { type: 'record', fields: [] }, 'not a type'],
  ['a record without fields', { type: 'record', name: 'R' }, 'not a type'],
  ['an unknown name', { type: 'array', items: 'Nobody' }, 'Nobody is not defined before its use'],
  [
    'a name taken twice',
    { type: 'record', name: 'R', fields: [{ name: 'f', type: { type: 'fixed', name: 'R', size: 1 } }] },
    'R is defined twice',
  ],
])('%s is refused', (_, schema, message) => {
  expect(() => parseSchema(schema)).toThrow(
    expect.objectContaining({ code: 'SCHEMA_INVALID', message: expect.stringContaining(message) }),
  )
})
