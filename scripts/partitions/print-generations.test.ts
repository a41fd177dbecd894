import { test } from '@jest/globals'
import { expectReport } from '../testing/expect-report.ts'
import { changedReport, generationsReport } from './print-generations.ts'

const generation = (number: number, partitions: number, switchedAt: Date | null) =>
  ({
    ...{ number, partitions, switchedAt, sealedAt: switchedAt, actor: 'ann' },
    why: number > 1 ? 'more than twelve replicas of payment are needed before the winter sale begins' : null,
  }) as never

const then = new Date('2026-03-01T18:00:00.123Z')
const config = { namespace: 'shop.', kafka: { brokers: ['127.0.0.1:20092'] } } as never

test('generations of topics', () => expectReport(generationsReport([generation(1, 12, then), generation(2, 24, then)])))
test('a change that has begun', () =>
  expectReport(generationsReport([generation(1, 12, then), generation(2, 24, null)])))
test('before the first deployment', () => expectReport(generationsReport([])))

const changed = {
  from: generation(1, 12, then),
  to: { number: 2, partitions: 24 },
  moved: { orders: 1_204, parked: 3, timers: 12_345, calls: 7 },
  heldMs: 3_140,
}
test('a change', () => expectReport(changedReport({ ...changed, strays: [] } as never, config)))
test('a change after which records came to the old topics', () =>
  expectReport(
    changedReport(
      { ...changed, strays: [...Array(12).keys()].map((n) => `orders/${n} offset 1234567`) } as never,
      config,
    ),
  ))
