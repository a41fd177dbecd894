import { join } from 'node:path'
import { expect } from '@jest/globals'
import { derivedEventId, timeOfEventId } from '../../../../schemas/event-id.ts'
import type { OrderPlaced } from '../../../../schemas/generated/events.ts'
import { crashAtEveryStep } from './at-every-step.ts'
import type { CrashTrial } from './at-every-step.ts'
import { openOutsideWorld } from './outside-world.ts'
import type { CrashPlan } from './plan.ts'
import { counts, ledgerSums } from '../observe.ts'
import { countTable, orders } from '../tally-consumer.ts'
import { openTestBench } from '../test-bench.ts'

/** Always tried. A batch's commit follows the move of the ledger, an answer's commit the advance of the lane's number. */
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
  'after call ask', // Done by the other side, not known here
  'before call_answered',
  'during commit after lanes_advance',
  'after timer_fired',
]

/**
 * Kills a replica at each of these steps, then at those of `more`; after each crash, every event must have taken effect
 * exactly once, in the database and outside.
 */
export async function tryCrashPoints(more: CrashPlan): Promise<void> {
  await using bench = await openTestBench('tester', countTable, 2)
  await using world = await openOutsideWorld()
  const trial: CrashTrial = {
    bench,
    consumer: join(import.meta.dirname, 'consumer.ts'),
    events: () => [...orders(4), ...orders(2, 'asks'), ...orders(2, 'waits')],
    env: { TALLY_GATEWAY_URL: world.url },
    plan: (steps) => [...always.map((step) => [{ step, passing: 1 }]), ...more(steps)],
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
}

/** The id derives from the order's event, so it is the same in every run. */
const reservationId = (causeId: string): string =>
  derivedEventId({
    chainTime: timeOfEventId(causeId) ?? 0,
    group: 'tester',
    causeId,
    type: 'StockReserved',
    ordinal: 0,
  })
