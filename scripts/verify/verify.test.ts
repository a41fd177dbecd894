import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Evidence } from './evidence.ts'
import { completed, declined, everyEnding, falsifications } from './testing/falsifications.ts'
import type { Writable } from './testing/falsifications.ts'
import { soundEvidence } from './testing/sound-evidence.ts'
import { invariants } from './verify.ts'

/** Ids of the invariants that are violated. */
const violatedBy = (evidence: Evidence): string[] =>
  invariants
    .map((invariant) => invariant(evidence))
    .filter(({ violations }) => violations > 0)
    .map(({ id }) => id)
    .sort()

describe('the invariants', () => {
  test('hold for every pipeline whose accounts agree', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...everyEnding), { maxLength: 20 }), (ends) => {
        expect(violatedBy(soundEvidence(ends))).toEqual([])
      }),
    )
  })

  test.each(falsifications)('are violated when %s', (_what, expected, tamper) => {
    const evidence = soundEvidence(everyEnding)
    tamper(evidence as Writable<Evidence>)
    expect(violatedBy(evidence)).toEqual(expected)
  })

  test('take an ended order for one that has left by its age, but no more of them than have left', () => {
    const evidence = soundEvidence(everyEnding) as Writable<Evidence>
    const { statuses } = evidence.tables
    statuses.delete(completed)
    expect(violatedBy(evidence)).toEqual(['tables-equal-fold'])
    evidence.tables.retired = 1
    expect(violatedBy(evidence)).toEqual([])
    statuses.delete(declined)
    expect(violatedBy(evidence)).toEqual(['tables-equal-fold'])
  })

  test('show what is parked without calling it a violation', () => {
    const evidence = soundEvidence(everyEnding)
    const parked = {
      key: completed,
      type: 'OrderPlaced',
      reason: 'HANDLER_FAILED',
      place: 'orders/0 offset 3',
      error: 'no\nstack',
    }
    Object.assign(evidence.groups[0]?.account ?? {}, { parked: [parked] })
    const finding = invariants.map((invariant) => invariant(evidence)).find(({ id }) => id === 'nothing-parked')
    expect(finding).toMatchObject({
      figures: '1: 1 all',
      violations: 0,
      examples: [`all: OrderPlaced of ${completed} (orders/0 offset 3), HANDLER_FAILED: no`],
    })
  })

  test('show what an operator skipped without calling it a violation, and count no more than that as missing', () => {
    const evidence = soundEvidence(everyEnding) as Writable<Evidence>
    const { account } = evidence.groups[0]!
    Object.assign(account.ledger.get('orders/0')![0]!, {
      taken: account.ledger.get('orders/0')![0]!.taken - 2,
      holes: 2,
    })
    Object.assign(account.inbox, { rows: account.inbox.rows - 2, distinct: account.inbox.distinct - 2 })
    expect(violatedBy(evidence)).toEqual(['taken-once'])
    account.skipped.push({ topic: 'orders', partition: 0, from: 4, to: 6, actor: 'ann', why: 'junk', at: new Date(0) })
    expect(violatedBy(evidence)).toEqual([])
    const finding = invariants.map((invariant) => invariant(evidence)).find(({ id }) => id === 'nothing-parked')
    expect(finding?.examples).toEqual(['all: ann skipped orders/0 offsets 4 to 5: junk'])
    account.skipped[0] = { topic: 'orders', partition: 0, from: 4, to: 5, actor: 'ann', why: 'junk', at: new Date(0) }
    expect(violatedBy(evidence)).toEqual(['taken-once'])
  })

  test('show what an operator dropped or edited without calling it a violation', () => {
    const evidence = soundEvidence(everyEnding) as Writable<Evidence>
    const account = evidence.groups[0]!.account
    const span = account.ledger.get('orders/0')![0]!
    Object.assign(span, { taken: span.taken - 2, parked: 2 })
    account.audit.push(
      { action: 'DROPPED', source: 'record', events: 1 },
      { action: 'HANDLED', source: 'record', events: 1 },
      { action: 'EDITED', source: 'record', events: 1 },
      { action: 'HANDLED', source: 'answer', events: 7 },
    )
    account.dropped.push({ key: 'o-9', place: 'orders/0 offset 3', actor: 'ada', why: 'nonsense' })
    expect(violatedBy(evidence)).toEqual([])
    const finding = invariants.map((invariant) => invariant(evidence)).find(({ id }) => id === 'nothing-parked')
    expect(finding).toMatchObject({
      figures: 'none; 1 dropped, 1 edited by an operator',
      examples: ['all: ada dropped the event of o-9 (orders/0 offset 3): nonsense'],
    })
  })

  test('accept that a parked event turns out to be a repeat', () => {
    const evidence = soundEvidence(everyEnding) as Writable<Evidence>
    const account = evidence.groups[0]!.account
    const span = account.ledger.get('orders/0')![0]!
    // One more record on the topic, parked as unreadable; once readable, its id was already in the inbox
    Object.assign(span, { next: span.next + 1, parked: 1 })
    evidence.history.ranges.get('orders')![0]!.end++
    evidence.history.types.get('orders/OrderPlaced')!.repeats++
    expect(violatedBy(evidence)).toEqual(['parked-accounted', 'taken-once'])
    account.audit.push({ action: 'DUPLICATE', source: 'record', events: 1 })
    expect(violatedBy(evidence)).toEqual([])
  })

  test('say when a pending order will time out', () => {
    const evidence = soundEvidence(['declined']) as Writable<Evidence>
    evidence.history.fold.orders.get('o-0')?.counts.delete('PaymentDeclined')
    evidence.tables.timeLimits.set('o-0', { upAt: '2026-11-23T10:15:00' })
    const finding = invariants.map((invariant) => invariant(evidence)).find(({ id }) => id === 'orders-ended')
    expect(finding?.examples).toEqual([
      'o-0: pending after OrderPlaced, StockReserved, StockReleased; it times out at 2026-11-23T10:15:00 UTC',
    ])
  })

  test('give at most five examples, and the total', () => {
    const evidence = soundEvidence(Array.from({ length: 30 }, () => 'completed'))
    ;(evidence.tables.shipments as Map<string, unknown>).clear()
    const finding = invariants.map((invariant) => invariant(evidence)).find(({ id }) => id === 'tables-equal-fold')
    expect(finding).toMatchObject({ violations: 30, reported: 30 })
    expect(finding?.examples).toHaveLength(5)
  })
})
