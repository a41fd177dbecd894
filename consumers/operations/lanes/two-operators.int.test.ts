import { expect, test } from '@jest/globals'
import { topicOf } from '../../../schemas/topics.ts'
import { readPauses } from '../../runtime/tables/pause-table.ts'
import { countTable, orders, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import type { Group } from '../groups.ts'
import { pauseChosen, resumeChosen } from './pausing.ts'
import { skipOffsets } from './skip-offsets.ts'

const { signal } = new AbortController()
const by = (actor: string) => ({ actor, why: `${actor} was told so` })

function groupOf({ sandbox: { namespace } }: TestBench): Group {
  const topics = new Set([topicOf('OrderPlaced').name])
  return { name: 'tester', schema: `"${namespace}tester"`, handles: new Set(['OrderPlaced']), begins: 'first', topics }
}

test('of two who pause or resume lanes, each lane has one; the other one is told', async () => {
  await using bench = await openTestBench('tester', countTable, 3)
  const choice = { group: groupOf(bench), partitions: 3, asked: [], signal }
  const told: { actor: string; before: number[]; fresh: number[] }[] = []
  await Promise.all(
    ['ann', 'bob'].map((actor) =>
      pauseChosen(
        bench.pool,
        choice,
        by(actor),
        (before, fresh) => void told.push({ actor, before: before.map(({ lane }) => lane), fresh: [...fresh] }),
      ),
    ),
  )
  const [loser, winner] = told.toSorted((a, b) => a.fresh.length - b.fresh.length)
  expect(winner).toMatchObject({ before: [], fresh: [0, 1, 2] })
  expect(loser).toMatchObject({ before: [0, 1, 2], fresh: [] })
  const reasons = (await readPauses(bench.pool)).map(({ actor, reason }) => `${actor}: ${reason}`)
  expect(new Set(reasons)).toEqual(new Set([`${winner?.actor}: ${winner?.actor} was told so`]))

  const resumed: [own: number, byOther: number][] = []
  await Promise.all(
    [1, 2].map(() =>
      resumeChosen(bench.pool, choice, (own, byOther) => void resumed.push([own.length, byOther.length])),
    ),
  )
  expect(resumed.reduce((sum, [own]) => sum + own, 0)).toBe(3) // Each lane by one
  for (const [own, byOther] of resumed) expect([0, 3]).toContain(own + byOther)
  expect(await readPauses(bench.pool)).toEqual([])
})

test('of two who skip offsets, one does; the other one is told who and why', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const replica = await bench.replica(tallyConsumer('tester'))
  await bench.publish(orders(2))
  await bench.settled(['orders'])
  await replica.stop()
  await bench.publish(orders(8, 'junk'))
  const asked = { topic: 'orders', partition: 0, from: 2, to: 10 }
  const both = await Promise.allSettled(
    ['ann', 'bob'].map((actor) => skipOffsets(bench.pool, groupOf(bench), asked, 10, by(actor))),
  )
  const won = both.findIndex(({ status }) => status === 'fulfilled')
  const winner = ['ann', 'bob'][won]!
  expect(both[1 - won]).toMatchObject({
    status: 'rejected',
    reason: {
      code: 'PRECONDITION_FAILED',
      message: expect.stringMatching(
        new RegExp(
          `has passed these offsets already: it stands at 10; ${winner} skipped them at .*: ${winner} was told so$`,
        ),
      ),
    },
  })
  const { rows } = await bench.pool.query(
    'select actor, first_offset::int as first, next_offset::int as next from skipped',
  )
  expect(rows).toEqual([{ actor: winner, first: 2, next: 10 }])
})
