import { describe, expect, test } from '@jest/globals'
import type { HandDecision } from '../../../consumers/runtime/tables/audit.ts'
import type { Evidence } from '../evidence.ts'
import { soundEvidence } from '../testing/sound-evidence.ts'
import type { Writable } from '../testing/falsifications.ts'
import { invariants } from '../verify.ts'
import { createActs } from './acts.ts'

const place = { topic: 'orders', partition: 0, offset: 3 }
const decision = (action: 'DROPPED' | 'EDITED', after: string | null = null): HandDecision => ({
  ...{ action, key: 'o-1', record: 'orders/0/3', actor: 'ada', why: 'a test' },
  after: after === null ? null : Buffer.from(after),
})
const skip = { topic: 'orders', partition: 0, from: 2, to: 5, actor: 'ann', why: 'junk', at: new Date(0) }

/** Two consumers of OrderPlaced, the second of which also reads CancellationRequested. */
function groupsWith(first: Partial<Acted>, second: Partial<Acted>): Evidence['groups'] {
  const [{ group, account } = never()] = soundEvidence(['completed']).groups
  return [
    { group: { ...group, name: 'payment', handles: new Set(['OrderPlaced']) }, account: { ...account, ...first } },
    { group: { ...group, name: 'shipping' }, account: { ...account, ...second } },
  ]
}
type Acted = Pick<Evidence['groups'][number]['account'], 'decisions' | 'skipped'>
const never = (): never => {
  throw new Error('no group')
}

describe('what operators decided about a record', () => {
  test('nothing, where they did nothing', () => {
    expect(
      createActs(groupsWith({ decisions: [decision('DROPPED')] }, {})).at({ ...place, offset: 4 }, 'OrderPlaced'),
    ).toBe(undefined)
  })

  test('an edit gives it other bytes', () => {
    const acts = createActs(
      groupsWith({ decisions: [decision('EDITED', 'x')] }, { decisions: [decision('EDITED', 'x')] }),
    )
    expect(acts.at(place, undefined)).toEqual({
      ...{ value: Buffer.from('x'), without: false, skipped: false },
      causes: ['ada edited orders/0 offset 3 in payment, shipping (a test)'],
    })
    expect(acts.values).toEqual([Buffer.from('x'), Buffer.from('x')])
  })

  test('it takes no effect only if every consumer that would process it dropped or skipped it', () => {
    const one = createActs(groupsWith({ decisions: [decision('DROPPED')] }, {}))
    expect(one.at(place, 'OrderPlaced')).toMatchObject({ without: false })
    const both = createActs(groupsWith({ decisions: [decision('DROPPED')] }, { skipped: [skip] }))
    expect(both.at(place, 'OrderPlaced')).toMatchObject({ without: true, skipped: false, value: undefined })
    // Only shipping reads this type
    expect(createActs(groupsWith({}, { skipped: [skip] })).at(place, 'CancellationRequested')).toMatchObject({
      ...{ without: true, skipped: true },
      causes: ['ann skipped orders/0 offsets 2 to 4 in shipping (junk)'],
    })
    expect(createActs(groupsWith({}, { skipped: [skip] })).at(place, 'OrderPlaced')).toMatchObject({ without: false })
  })

  test('a key has the causes of its own records, each once', () => {
    const acts = createActs(groupsWith({ decisions: [decision('DROPPED')] }, { skipped: [skip] }))
    expect(acts.causeOf('o-1')).toBe('ada dropped orders/0 offset 3 in payment (a test)')
    expect(acts.causeOf('o-2')).toBeUndefined()
    const decided = acts.at(place, 'OrderPlaced')
    acts.concern('o-2', decided!)
    acts.concern('o-2', decided!)
    expect(acts.causeOf('o-2')).toBe(
      'ada dropped orders/0 offset 3 in payment (a test); ann skipped orders/0 offsets 2 to 4 in shipping (junk)',
    )
  })
})

test('a difference of an order is explained by an act on it; a second capture, or another order, is not', () => {
  const violated = (evidence: Evidence) =>
    invariants.map((invariant) => invariant(evidence)).filter(({ violations }) => violations > 0)
  const tampered = (key: string | undefined) => {
    const evidence = soundEvidence(['completed', 'declined']) as Writable<Evidence>
    evidence.history.fold.orders.get('o-0')!.placed.length = 0
    evidence.history.fold.orders.get('o-0')!.counts.delete('OrderPlaced')
    return { ...evidence, causeOf: (of: string) => (of === key ? 'ada dropped it' : undefined) } as Evidence
  }
  expect(violated(tampered(undefined)).map(({ id }) => id)).toEqual([
    ...['event-sets', 'captured-once', 'orders-accepted', 'tables-equal-fold'],
  ])
  expect(violated(tampered('o-1'))).toHaveLength(4)
  expect(violated(tampered('o-0'))).toEqual([])
  const explained = invariants.map((invariant) => invariant(tampered('o-0'))).find(({ id }) => id === 'captured-once')
  expect(explained?.examples).toEqual(['o-0: captured 900 EUR, it was never placed, because ada dropped it'])

  const twice = tampered('o-0')
  const { captured } = twice.history.fold.orders.get('o-0')!
  captured.push(captured[0]!)
  expect(violated(twice).map(({ id }) => id)).toEqual(['captured-once'])
})

test('an article of an order that an act explains must still agree with its reservation', () => {
  const evidence = { ...soundEvidence(['completed']), causeOf: (key: string) => (key === 'o-0' ? 'an act' : undefined) }
  evidence.tables.stock.get('tea')!.onHand++
  const found = invariants.map((invariant) => invariant(evidence)).filter(({ violations }) => violations > 0)
  expect(found.map(({ id }) => id)).toEqual(['stock-conserved', 'tables-equal-fold'])
})
