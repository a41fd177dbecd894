import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Span } from '../runtime/tables/ledger-account.ts'
import { tilingFaults } from './tiling.ts'

const span = (epoch: number, first: number, next: number): Span => ({
  epoch,
  first,
  next,
  taken: next - first,
  duplicates: 0,
  ignored: 0,
  parked: 0,
  holes: 0,
  replay: null,
})

/** Spans that tile `[0, end)`: one per epoch, some empty. */
const tiling = fc.array(fc.nat(50), { minLength: 1, maxLength: 20 }).map((lengths) => {
  let first = 0
  const spans = lengths.map((length, epoch) => span(epoch, first, (first += length)))
  return { spans, range: { low: 0, end: first } }
})

describe('the spans of a partition', () => {
  test('tile it, in whatever order they are read', () => {
    fc.assert(
      fc.property(tiling, fc.infiniteStream(fc.nat()), ({ spans, range }, keys) => {
        const shuffled = spans.map((each) => ({ each, key: keys.next().value })).sort((a, b) => a.key - b.key)
        expect(
          tilingFaults(
            'orders/0',
            shuffled.map(({ each }) => each),
            range,
          ),
        ).toEqual([])
      }),
    )
  })

  test('do not tile it once any span that covers something is missing, moved, doubled or does not add up', () => {
    const change = fc.constantFrom<(found: Span) => Span[]>(
      () => [],
      (found) => [found, { ...found, epoch: found.epoch + 0.5 }],
      (found) => [{ ...found, first: found.first + 1 }],
      (found) => [{ ...found, next: found.next + 1 }],
      (found) => [{ ...found, taken: found.taken - 1 }],
    )
    fc.assert(
      fc.property(tiling, fc.nat(), change, ({ spans, range }, pick, broken) => {
        fc.pre(range.end > 0)
        const covering = spans.filter(({ first, next }) => next > first)
        const chosen = covering[pick % covering.length]
        const faults = tilingFaults(
          'orders/0',
          spans.flatMap((each) => (each === chosen ? broken(each) : [each])),
          range,
        )
        expect(faults).not.toEqual([])
      }),
    )
  })

  test.each([
    ['a gap', [span(1, 0, 3), span(2, 5, 8)], { low: 0, end: 8 }, ['orders/0: offsets 3 to 4 are in no span']],
    [
      'an overlap',
      [span(1, 0, 5), span(2, 3, 8)],
      { low: 0, end: 8 },
      ['orders/0: epoch 2 begins at 3, but 4 was taken before'],
    ],
    ['no beginning', [span(1, 2, 8)], { low: 0, end: 8 }, ['orders/0: offsets 0 to 1 are in no span']],
    ['no end', [span(1, 0, 5)], { low: 0, end: 8 }, ['orders/0: offsets 5 to 7 are not taken']],
    ['more than there is', [span(1, 0, 9)], { low: 0, end: 8 }, ['orders/0: stands at 9, but the topic ends at 8']],
    ['nothing, of a topic that has nothing', [], { low: 0, end: 0 }, []],
    ['nothing, of a topic that has something', [], { low: 0, end: 2 }, ['orders/0: offsets 0 to 1 are not taken']],
    ['what was left when the group first read', [span(1, 2, 8)], { low: 2, end: 8 }, []],
  ])('%s is told', (_what, spans, range, faults) => {
    expect(tilingFaults('orders/0', spans, range)).toEqual(faults)
  })

  test('may lie twice where a replay had them taken again, but not beyond what was taken', () => {
    const range = { low: 0, end: 10 }
    const again = (first: number, next: number): Span => ({ ...span(2, first, next), replay: 7 })
    expect(tilingFaults('orders/0', [span(1, 0, 8), again(2, 8), span(3, 8, 10)], range)).toEqual([])
    expect(tilingFaults('orders/0', [span(1, 0, 8), again(2, 9), span(3, 8, 10)], range)).toEqual([
      'orders/0: replay 7 took offset 8, which was never reached before',
    ])
    // What a replay takes again covers nothing itself
    expect(tilingFaults('orders/0', [span(1, 0, 8), again(0, 8), span(3, 9, 10)], range)).toHaveLength(1)
  })
})
