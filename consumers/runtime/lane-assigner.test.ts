import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { shareLanes } from './lane-assigner.ts'

const lanes = (count: number) => Array.from({ length: count }, (_, lane) => lane)
const member = (memberId: string, ...held: [lane: number, epoch: number][]) => ({ memberId, held: new Map(held) })

describe('sharing lanes', () => {
  test('a lone member takes all', () => {
    expect(shareLanes(lanes(3), [member('a')])).toEqual(new Map([['a', [0, 1, 2]]]))
  })

  test('only the lanes that have to move do', () => {
    const before = shareLanes(lanes(12), [member('a'), member('b')])
    const holding = [...before].map(([id, own]) => member(id, ...own.map((lane) => [lane, 1] as [number, number])))
    const after = shareLanes(lanes(12), [...holding, member('c')])
    const stayed = [...before].flatMap(([id, own]) => own.filter((lane) => after.get(id)?.includes(lane)))
    expect(stayed).toHaveLength(8)
    expect(after.get('c')).toHaveLength(4)
  })

  test('of two that claim a lane, the higher epoch holds it', () => {
    const shares = shareLanes([0, 1], [member('zombie', [0, 4], [1, 9]), member('owner', [0, 5])])
    expect(shares.get('owner')).toEqual([0])
    expect(shares.get('zombie')).toEqual([1])
  })

  test('whatever members say they hold: every lane has one owner and shares differ by one at most', () => {
    const claim = fc.tuple(fc.nat(15), fc.nat(20))
    const members = fc.uniqueArray(
      fc.record({ memberId: fc.uuid(), held: fc.array(claim).map((held) => new Map(held)) }),
      {
        selector: ({ memberId }) => memberId,
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(fc.nat(12), members, (count, group) => {
        const shares = [...shareLanes(lanes(count), group).values()]
        expect(shares.flat().sort((a, b) => a - b)).toEqual(lanes(count))
        const sizes = shares.map((own) => own.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})
