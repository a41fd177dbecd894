import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventFullNames } from './generated/events.ts'
import { loadSchemas } from './load-schemas.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'schemas-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('every event has its schema', () => {
  const names = loadSchemas().map(({ type, record }) => [type, record.name])
  expect(Object.fromEntries(names)).toEqual(eventFullNames)
})

test('the text for the registry does not depend on how the file is laid out', () => {
  const schema = { type: 'record', name: 'Sold', fields: [] }
  writeFileSync(join(folder, 'Sold.avsc'), JSON.stringify(schema, null, 7))
  expect(loadSchemas(folder)).toMatchObject([{ type: 'Sold', json: '{"type":"record","name":"Sold","fields":[]}' }])
})

test.each([
  ['no JSON', '{', 'schemas/avro/Sold.avsc: '],
  ['no record', '"string"', 'schemas/avro/Sold.avsc: an event is a record'],
  [
    'another name',
    '{"type":"record","name":"Bought","fields":[]}',
    'schemas/avro/Sold.avsc: the record is named Bought',
  ],
])('a file that holds %s is named', (_, text, message) => {
  writeFileSync(join(folder, 'Sold.avsc'), text)
  expect(() => loadSchemas(folder)).toThrow(
    expect.objectContaining({ code: 'SCHEMA_INVALID', message: expect.stringContaining(message) }),
  )
})
