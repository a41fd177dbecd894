import { describe, expect, test } from '@jest/globals'
import avro from 'avsc'
import type { Schema } from 'avsc'
import { parseSchema } from '../avro-schema.ts'
import { describeClash, findClashes } from './compatibility.ts'

const record = (...fields: object[]): Schema => ({ type: 'record', name: 'tally.R', fields }) as Schema
const f = (type: unknown, more: object = {}) => ({ name: 'f', type, ...more })
const choice = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'Choice', symbols, ...more })
const inner = (...fields: object[]) => ({ type: 'record', name: 'Inner', fields })
const recursive = (...fields: object[]) => record({ name: 'next', type: ['null', 'R'] }, ...fields)

describe('a change from before to after', () => {
  test.each<[string, Schema, Schema, string[], string[]]>([
    ['nothing', record(f('int')), record(f('int')), [], []],
    [
      'a field added without default',
      record(),
      record(f('int')),
      ['f was added without a default, which events written before do not have'],
      [],
    ],
    ['a field added with default', record(), record(f('int', { default: 1 })), [], []],
    [
      'a field removed',
      record(f('int')),
      record(),
      [],
      ['f was removed, which code deployed before needs: it has no default there'],
    ],
    ['a field with default removed', record(f('int', { default: 1 })), record(), [], []],
    [
      'fields reordered',
      record(f('int'), { name: 'g', type: 'int' }),
      record({ name: 'g', type: 'int' }, f('int')),
      [],
      [],
    ],
    [
      'another type',
      record(f('string')),
      record(f('int')),
      ['f was string and would be int'],
      ['f was string and would be int'],
    ],
    ['a wider type', record(f('int')), record(f('long')), [], ['f was int and would be long']],
    ['a narrower type', record(f('double')), record(f('float')), ['f was double and would be float'], []],
    ['text for bytes', record(f('bytes')), record(f('string')), [], []],
    [
      'made nullable',
      record(f('string')),
      record(f(['null', 'string'])),
      [],
      ['f was string and would be null | string'],
    ],
    [
      'made required',
      record(f(['null', 'string'])),
      record(f('string')),
      ['f was null | string and would be string'],
      [],
    ],
    ['branches reordered', record(f(['null', 'string'])), record(f(['string', 'null'])), [], []],
    [
      'a symbol added',
      record(f(choice(['A']))),
      record(f(choice(['A', 'B']))),
      [],
      ['f gained B, which code deployed before has no default for'],
    ],
    [
      'a symbol removed',
      record(f(choice(['A', 'B']))),
      record(f(choice(['A']))),
      ['f lost B, which events written before may hold'],
      [],
    ],
    [
      'a symbol added where there is a default',
      record(f(choice(['A'], { default: 'A' }))),
      record(f(choice(['A', 'B'], { default: 'A' }))),
      [],
      [],
    ],
    [
      'a size',
      record(f({ type: 'fixed', name: 'Hash', size: 4 })),
      record(f({ type: 'fixed', name: 'Hash', size: 8 })),
      ['f was tally.Hash (4 bytes) and would be tally.Hash (8 bytes)'],
      ['f was tally.Hash (4 bytes) and would be tally.Hash (8 bytes)'],
    ],
    [
      'a nested record renamed',
      record(f({ ...inner(), name: 'Old' })),
      record(f({ ...inner(), name: 'New' })),
      ['f was tally.Old and would be tally.New'],
      ['f was tally.Old and would be tally.New'],
    ],
    [
      'a nested record renamed with an alias',
      record(f({ ...inner(), name: 'Old' })),
      record(f({ ...inner(), name: 'New', aliases: ['Old'] })),
      [],
      ['f was tally.Old and would be tally.New'],
    ],
    [
      'a field renamed with an alias',
      record(f('int')),
      record({ name: 'g', type: 'int', aliases: ['f'] }),
      [],
      ['f was removed, which code deployed before needs: it has no default there'],
    ],
    [
      'an alias of two fields',
      record(f('int'), { name: 'g', type: 'int' }),
      record({ name: 'h', type: 'int', aliases: ['f', 'g'], default: 1 }),
      ['h has aliases that name several fields'],
      [
        'f was removed, which code deployed before needs: it has no default there',
        'g was removed, which code deployed before needs: it has no default there',
      ],
    ],
    [
      'deep inside',
      record(f({ type: 'array', items: inner({ name: 'map', type: { type: 'map', values: 'int' } }) })),
      record(f({ type: 'array', items: inner({ name: 'map', type: { type: 'map', values: 'string' } }) })),
      ['f[].map{} was int and would be string'],
      ['f[].map{} was int and would be string'],
    ],
    [
      'inside a branch',
      record(f(['null', inner()])),
      record(f(['null', inner({ name: 'g', type: 'int' })])),
      ['f.g was added without a default, which events written before do not have'],
      [],
    ],
    [
      'in a recursive schema',
      recursive(),
      recursive(f('int')),
      ['f was added without a default, which events written before do not have'],
      [],
    ],
    [
      'an array for a map',
      record(f({ type: 'map', values: 'int' })),
      record(f({ type: 'array', items: 'int' })),
      ['f was map of int and would be array of int'],
      ['f was map of int and would be array of int'],
    ],
  ])('%s', (_, before, after, oldEvents, newEvents) => {
    const [old, today] = [parseSchema(before), parseSchema(after)]
    expect(findClashes(today, old).map((clash) => `${clash.path} ${describeClash(clash, 'old events')}`)).toEqual(
      oldEvents,
    )
    expect(findClashes(old, today).map((clash) => `${clash.path} ${describeClash(clash, 'new events')}`)).toEqual(
      newEvents,
    )
    expect([resolves(after, before), resolves(before, after)]).toEqual([oldEvents.length === 0, newEvents.length === 0])
  })
})

function resolves(reader: Schema, writer: Schema): boolean {
  const [readerType, writerType] = [avro.Type.forSchema(reader), avro.Type.forSchema(writer)]
  try {
    readerType.createResolver(writerType)
    return true
  } catch {
    return false
  }
}
