import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { derivedEventId, timeOfEventId } from '../../schemas/event-id.ts'
import type { OrderPlaced } from '../../schemas/generated/events.ts'
import { crashAtEveryStep } from './testing/crash/at-every-step.ts'
import { openOutsideWorld } from './testing/crash/outside-world.ts'
import { someSteps } from './testing/crash/plan.ts'
import type { CrashPlan } from './testing/crash/plan.ts'
import { counts, ledgerSums } from './testing/observe.ts'
import { countTable, orders } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'

/** Never left out. A batch's commit follows the move of the ledger, that of an answer the advance of the lane's number. */
const always = [
  'after fetch',
  'after decode',
  'after inbox_take',
  'before commit after ledger_move',
  'during commit after ledger_move',
  'after commit after ledger_move',
  'before send',
  'before outbox_remove', // Sent, not deleted
  'before call ask',
  'after call ask', // Done outside, unknown here
  'before call_answered',
  'during commit after lanes_advance',
  'after timer_fired',
]

/** `everyStep()` in its place tries them all, in some minutes. */
const plan: CrashPlan = (steps) => [...always.map((step) => [{ step, passing: 1 }]), ...someSteps(12)(steps)]

test('wherever a replica is killed, every event takes effect once, here and outside', async () => {
  await using bench = await openTestBench('tester', countTable, 2)
  await using world = await openOutsideWorld()
  const trial = {
    bench,
    consumer: join(import.meta.dirname, 'testing/crash/consumer.ts'),
    events: () => [...orders(4), ...orders(2, 'asks'), ...orders(2, 'waits')],
    env: { TALLY_GATEWAY_URL: world.url },
    plan,
  }
  const total = { given: 0, tries: 0, deaths: 0 }
  for await (const { crash, deaths, steps, events, published } of crashAtEveryStep(trial)) {
    if (total.tries === 0) expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining(always))
    if (always.includes(crash)) expect({ crash, deaths }).toEqual({ crash, deaths: 1 })
    total.given += events.length
    total.tries++
    total.deaths += deaths
    const found = await counts(bench)
    for (const { id, data } of events) {
      const { orderId, customerId } = data as OrderPlaced
      const asks = customerId === 'asks'
      const seen = {
        ...found.get(orderId),
        keys: world.keys.get(orderId)?.size ?? 0,
        published: published.filter((event) => 'orderId' in event.data && event.data.orderId === orderId),
      }
      expect({ crash, ...seen }).toEqual({
        crash,
        placed: 1,
        answered: asks ? 1 : 0,
        fired: customerId === 'waits' ? 1 : 0,
        keys: asks ? 1 : 0,
        published: [
          expect.objectContaining({ type: 'StockReserved', id: reservationId(id) }),
          ...(asks ? [expect.objectContaining({ type: 'StockReleased' })] : []),
        ],
      })
    }
  }
  expect(total.deaths).toBeGreaterThan(total.tries * 0.8)
  expect(await ledgerSums(bench)).toMatchObject({ taken: total.given, duplicates: 0, parked: 0, offsets: total.given })
}, 180_000)

/** The event derives from the order's own, so it has this id in whichever life it was decided. */
const reservationId = (causeId: string): string =>
  derivedEventId({
    chainTime: timeOfEventId(causeId) ?? 0,
    group: 'tester',
    causeId,
    type: 'StockReserved',
    ordinal: 0,
  })
