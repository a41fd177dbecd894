import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { applyEdit } from './mutation.ts'
import { mutations } from './mutations.ts'
import { gist } from './run-tests.ts'

const root = resolve(import.meta.dirname, '..', '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

describe.each(mutations)('mutation $name', ({ edits, noticedBy: { file, title } }) => {
  test('a mutation fits the current code and leaves valid syntax', () => {
    const mutated = new Map<string, string>()
    for (const edit of edits) mutated.set(edit.file, applyEdit(mutated.get(edit.file) ?? read(edit.file), edit))
    for (const [changed, source] of mutated) {
      expect(source).not.toBe(read(changed))
      if (changed.endsWith('.ts')) expect(() => stripTypeScriptTypes(source)).not.toThrow()
    }
  })

  test('a mutation names a test that exists', () => {
    expect(
      read(file)
        .split(/['`]/)
        .filter((text) => text === title),
    ).toHaveLength(1)
  })
})

test('names of mutations are unique', () => {
  expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length)
})

test('a mutation is stale if its text does not occur exactly once', () => {
  const edit = { file: 'a.ts', find: 'guard()', replace: '' }
  expect(applyEdit('if (guard()) go()', edit)).toBe('if () go()')
  for (const source of ['go()', 'guard() && guard()']) expect(() => applyEdit(source, edit)).toThrow(/stale/)
})

test.each([
  ['Error: Not within 20000 ms: all is taken\n    at waitUntil', 'Not within 20000 ms: all is taken'],
  ['Error: expect(received).toBe(expected)\n\nExpected: 1\nReceived: 2\n    at x', 'expected 1, got 2'],
  [
    'Error: expect(received).toMatchObject(expected)\n\n- Expected  - 1\n+ Received  + 1\n\n  Object {\n-   "n": 2,\n+   "n": 3,\n  }',
    'expected "n": 2, got "n": 3',
  ],
  [
    'Error: expect(received).rejects.toMatchObject()\n\nReceived promise resolved instead of rejected\nResolved to value: 1',
    'Received promise resolved instead of rejected',
  ],
])('the gist of a failure is its difference or first line: %j', (message, told) => expect(gist(message)).toBe(told))
