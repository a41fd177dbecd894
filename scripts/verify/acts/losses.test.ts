import { describe, expect, test } from '@jest/globals'
import type { SkippedOffsets } from '../../../consumers/runtime/tables/skipped-table.ts'
import type { Evidence } from '../evidence.ts'
import type { Writable } from '../testing/falsifications.ts'
import { soundEvidence } from '../testing/sound-evidence.ts'
import { invariants } from '../verify.ts'
import { createLosses } from './losses.ts'

type Accepted = SkippedOffsets & { readonly at: Date }
const deleted: Accepted = {
  ...{
    topic: 'orders',
    partition: 0,
    from: 2,
    to: 4,
    cause: 'deleted',
    actor: 'ann',
    why: 'too short',
    at: new Date(500),
  },
}
const words = 'ann accepted the loss of orders/0 offsets 2 to 3 in all (too short)'

/** The first records of the orders topic are gone: what became of an order is known to tables only. */
function afterLoss(accepted: readonly Accepted[], { low = 1, next = 2 } = {}): Evidence {
  const evidence = soundEvidence(['completed', 'completed']) as Writable<Evidence>
  const { history } = evidence
  const { orders } = history.fold
  Object.assign(history.ranges.get('orders')![0]!, { low })
  Object.assign(evidence.groups[0]!.account.ledger.get('orders/0')![0]!, { next, taken: next })
  orders.get('o-0')!.placed.length = 0
  orders.get('o-0')!.counts.delete('OrderPlaced')
  history.types.get('orders/OrderPlaced')!.events--
  history.publications.lanes.get('orders-api/0')!.eventIds.delete(1)
  Object.assign(orders.get('o-1')!.placed[0]!, { recordedAt: 1_000 })
  evidence.groups[0]!.account.skipped.push(...accepted)
  const losses = createLosses(evidence.groups, history)
  return { ...evidence, losses, causeOf: losses.causeOf } as Evidence
}
const findings = (evidence: Evidence) => invariants.map((invariant) => invariant(evidence))
const violated = (evidence: Evidence) =>
  findings(evidence)
    .filter(({ violations }) => violations > 0)
    .map(({ id }) => id)

describe('records that are gone', () => {
  test('are violations if a group had not read them and no operator accepted their loss, which then is the cause', () => {
    expect(violated(afterLoss([], { next: 0 }))).toEqual([
      ...['event-sets', 'captured-once', 'orders-accepted', 'taken-once', 'offsets-tiled', 'outbox-published'],
      ...['tables-equal-fold', 'topics-whole'],
    ])
    const accepted = afterLoss([deleted])
    expect(violated(accepted)).toEqual([])
    const told = findings(accepted).flatMap(({ examples }) => examples)
    for (const fault of [
      'o-0: completed without OrderPlaced',
      'orders/0: offsets 0 to 0 were deleted and cannot be checked',
    ])
      expect(told).toContainEqual(expect.stringContaining(`${fault}, because ${words}`))
  })

  test('explain nothing of an order that was placed after the loss, nor of another partition', () => {
    const { losses } = afterLoss([deleted])
    expect(losses.causeOf('o-0')).toContain(words)
    expect(losses.causeOf('o-1')).toBeUndefined()
    expect(losses.causeOf('tea')).toContain(words) // Nobody knows which keys the lost records had
    expect(afterLoss([{ ...deleted, partition: 1 }], { low: 0 }).losses.causeOf('o-0')).toBeUndefined()
    const evidence = afterLoss([deleted])
    evidence.history.fold.orders.get('o-1')!.counts.delete('PaymentAuthorized')
    expect(violated(evidence)).toContain('event-sets')
  })

  test('leave strict what they cannot explain: more is missing than is gone, an unread event, a second capture', () => {
    const evidence = afterLoss([deleted])
    evidence.history.types.get('orders/OrderPlaced')!.events--
    expect(violated(evidence)).toEqual(['taken-once'])
    const unread = afterLoss([deleted])
    unread.history.types.get('payments/PaymentCaptured')!.events += 2
    expect(violated(unread)).toEqual(['taken-once'])
    const twice = afterLoss([deleted])
    const { captured } = twice.history.fold.orders.get('o-0')!
    captured.push(captured[0]!)
    expect(violated(twice)).toEqual(['captured-once'])
  })

  test('by age, after every group had passed them, are the cause for older orders only, and for the first numbers', () => {
    const byAge = () => afterLoss([])
    const because = 'because Kafka has deleted orders/0 offsets 0 to 0, which every consumer had passed'
    expect(violated(byAge())).toEqual([])
    const told = findings(byAge()).flatMap(({ examples }) => examples)
    for (const fault of ['o-0: completed without OrderPlaced', 'number 1 is neither published nor in the outbox'])
      expect(told).toContainEqual(expect.stringContaining(`${fault}, ${because}`))
    const changed = (change: (evidence: Writable<Evidence>) => unknown) => {
      const evidence = byAge()
      change(evidence as Writable<Evidence>)
      return violated(evidence)
    }
    const forget = (ids: number) => (evidence: Writable<Evidence>) => {
      evidence.groups[0]!.account.inbox.rows -= ids
      evidence.groups[0]!.account.inbox.distinct -= ids
    }
    expect(changed(({ history }) => history.fold.orders.get('o-1')!.counts.delete('StockReserved'))).toEqual([
      ...['event-sets', 'tables-equal-fold'],
    ])
    expect(changed(({ history }) => history.publications.lanes.get('payment/0')!.eventIds.delete(2))).toEqual([
      'outbox-published',
    ])
    expect(changed(forget(1))).toEqual([])
    expect(changed(forget(2))).toEqual(['taken-once'])
  })

  test('of a topic that was created again are unknown in number', () => {
    const again: Accepted = { ...deleted, from: 4, to: 4, cause: 'recreated', resumeAt: 0 }
    const { losses } = afterLoss([again])
    expect(losses.goneFrom(new Set(['orders']))).toBe(Infinity)
    expect(losses.goneFrom(new Set(['payments']))).toBe(0)
    expect(losses.causeAt('orders/0')).toContain(
      'ann accepted the loss of orders/0 what followed offset 4 in all (too short)',
    )
  })
})

test('rows that a rebuild left out with consent are explained by it, in its own table only', () => {
  const rowless = (lossyRebuild: boolean, table: 'statuses' | 'payments') => {
    const evidence = { ...soundEvidence(['completed']) } as Writable<Evidence>
    evidence.tables[table].delete('o-0')
    const rebuilds = lossyRebuild ? [{ group: 'order-status', at: 500, act: 'bob rebuilt order-status' }] : []
    return violated({ ...evidence, losses: createLosses([], evidence.history, rebuilds) } as Evidence)
  }
  expect(rowless(false, 'statuses')).toEqual(['tables-equal-fold'])
  expect(rowless(true, 'statuses')).toEqual([])
  expect(rowless(true, 'payments')).toEqual(['tables-equal-fold'])
})
