import { expect, test } from '@jest/globals'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { ConsumerDefinition } from '../runtime/handler.ts'
import { recordChanges } from './record-changes.ts'

interface Note {
  text: string
  /** Never stored. */
  scratch?: string
}

test('of a row that is saved the change is what is stored afterwards, not what the handler holds', async () => {
  const table = new Map<string, Note>([['a', { text: 'old' }]])
  const load = async (_tx: Tx, keys: readonly string[]) =>
    new Map(keys.flatMap((key) => (table.has(key) ? [[key, { ...table.get(key) } as Note] as const] : [])))
  const save = async (_tx: Tx, rows: ReadonlyMap<string, Note>) => {
    for (const [key, { text }] of rows) table.set(key, { text })
  }
  const parts = { group: 'tester', handlers: {}, state: { load, save }, shared: { idsOf: () => [], lock: load, save } }
  const { definition, states, shared } = recordChanges(parts as unknown as ConsumerDefinition<Note, Note>)
  const tx = {} as Tx
  await definition.state.load(tx, ['a', 'b'])
  await definition.state.save(
    tx,
    new Map([
      ['a', { text: 'old', scratch: 'x' }],
      ['b', { text: 'new', scratch: 'x' }],
    ]),
  )
  expect(states()).toEqual([
    { id: 'a', before: { text: 'old' }, after: { text: 'old' } },
    { id: 'b', before: undefined, after: { text: 'new' } },
  ])
  await definition.shared?.lock(tx, ['a'])
  await definition.shared?.save(tx, new Map([['a', { text: 'newer', scratch: 'x' }]]))
  expect(shared()).toEqual([{ id: 'a', before: { text: 'old' }, after: { text: 'newer' } }])
})
