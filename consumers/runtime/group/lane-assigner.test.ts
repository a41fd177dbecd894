import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import type { Cluster } from 'kafkajs'
import { laneAssigner, shareLanes } from './lane-assigner.ts'

const { MemberAssignment } = kafkajs.AssignerProtocol
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

  test('a leaving member gets none, whatever it holds, and its lanes are balanced over the others', () => {
    const leaver = { memberId: 'a', held: undefined }
    const shares = shareLanes(lanes(6), [leaver, member('b', [1, 1], [4, 1]), member('c', [2, 1], [5, 1])])
    expect(shares.get('a')).toEqual([])
    expect(shares.get('b')).toEqual(expect.arrayContaining([1, 4]))
    expect(shares.get('c')).toEqual(expect.arrayContaining([2, 5]))
    expect([...shares.values()].map((own) => own.length)).toEqual([0, 3, 3])
  })

  test('no member has lanes when all leave', () => {
    const shares = shareLanes(lanes(3), [{ memberId: 'a', held: undefined }])
    expect(shares).toEqual(new Map([['a', []]]))
  })

  test('whatever members say they hold: every lane has one owner and shares differ by one at most', () => {
    const claim = fc.tuple(fc.nat(15), fc.nat(20))
    const members = fc.uniqueArray(
      fc.record({
        memberId: fc.uuid(),
        held: fc.option(
          fc.array(claim).map((held) => new Map(held)),
          { nil: undefined },
        ),
      }),
      {
        selector: ({ memberId }) => memberId,
        minLength: 1,
        maxLength: 8,
      },
    )
    fc.assert(
      fc.property(fc.nat(12), members, (count, group) => {
        const shares = shareLanes(lanes(count), group)
        const [leaving, staying] = [true, false].map((gone) =>
          group.filter(({ held }) => !held === gone).map(({ memberId }) => shares.get(memberId) ?? []),
        ) as [number[][], number[][]]
        expect(leaving.flat()).toEqual([])
        if (staying.length === 0) return
        expect(staying.flat().sort((a, b) => a - b)).toEqual(lanes(count))
        const sizes = staying.map((own) => own.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

test('the lanes a member reports in a join reach the leader that assigns', async () => {
  const cluster = { findTopicPartitionMetadata: () => lanes(4).map((partitionId) => ({ partitionId })) }
  const assigner = (held: Map<number, number> | undefined) =>
    laneAssigner(() => held)({ cluster: cluster as unknown as Cluster, groupId: 'g', logger: undefined as never })
  const topics = ['orders']
  const saying = (memberId: string, held: Map<number, number> | undefined) => ({
    memberId,
    memberMetadata: assigner(held).protocol({ topics }).metadata,
  })
  const members = [saying('leaves', undefined), saying('holds', new Map([[3, 7]])), saying('comes', new Map())]
  const given = await assigner(new Map()).assign({ members, topics })
  const shares = given.map(({ memberId, memberAssignment }) => [
    memberId,
    MemberAssignment.decode(memberAssignment)?.assignment['orders'],
  ])
  expect(Object.fromEntries(shares)).toEqual({
    leaves: [],
    holds: expect.arrayContaining([3]),
    comes: expect.anything(),
  })
})
