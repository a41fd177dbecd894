import { expect, test } from '@jest/globals'
import type { Plan } from '../plan.ts'
import { actsOutside, tooOld } from './preconditions.ts'

const calls = { charge: { idempotent: true }, ship: {} }

test.each([
  ['no effects', { effects: 'none' as const, calls }, {}, undefined],
  ['effects of its own only', { effects: 'local' as const, calls }, {}, undefined],
  [
    'a call that is not idempotent',
    { effects: 'external' as const, calls },
    { allowExternal: true },
    'call ship is not',
  ],
  ['nothing declared', { calls: { charge: {}, ship: {} } }, { allowExternal: true }, 'calls charge, ship are not'],
  ['idempotent calls nobody has allowed', { calls: { charge: { idempotent: true } } }, {}, '--allow-external'],
  ['idempotent calls, allowed', { calls: { charge: { idempotent: true } } }, { allowExternal: true }, undefined],
])('a consumer with %s', (_what, consumer, options, objection) => {
  const found = actsOutside({ group: 'payment', ...consumer }, options)
  expect(found).toEqual(objection === undefined ? [] : [expect.stringContaining(objection)])
})

test('events older than inboxes remember are refused', () => {
  const now = Date.UTC(2026, 10, 23)
  const weeksAgo = (weeks: number) => now - weeks * 7 * 24 * 3_600_000
  const plan = (range: object) =>
    ({ partitions: [{ topic: 'orders', partition: 2, forgotten: 0, ...range }] }) as unknown as Plan
  expect(tooOld(plan({ firstTime: weeksAgo(2.9) }), now)).toEqual([])
  expect(tooOld(plan({ firstTime: null }), now)).toEqual([])
  expect(tooOld(plan({ firstTime: weeksAgo(3.1) }), now)).toEqual([
    expect.stringContaining('orders/2 begins at 2026-11'),
  ])
  const fresh = { ...plan({ firstTime: 1 }), createdAt: new Date(now - 60_000).toISOString() }
  expect(tooOld(fresh, now)).toEqual([]) // One record that states 1970 is still known
  expect(tooOld({ ...fresh, createdAt: new Date(now - 3_600_000).toISOString() }, now)).toHaveLength(1)
  expect(tooOld(plan({ firstTime: weeksAgo(1), forgotten: 4 }), now)).toEqual([expect.stringContaining('forgotten 4')])
})
