import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { newEventId } from '../../schemas/event-id.ts'
import { crashAtEveryStep } from '../runtime/testing/crash/at-every-step.ts'
import { someSteps } from '../runtime/testing/crash/plan.ts'
import { orderPlaced } from '../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../runtime/testing/test-bench.ts'
import type { Published } from '../runtime/testing/test-bench.ts'

/** An order that is received, received once more and declined: two mails. */
function newOrder(): Published[] {
  const orderId = newEventId()
  const declined = { orderId, reason: 'insufficient_funds', declinedAt: Date.now() }
  return [orderPlaced(orderId), orderPlaced(orderId), { type: 'PaymentDeclined', data: declined }]
}

test('a customer gets each mail once, wherever the process is killed', async () => {
  await using bench = await openTestBench('notifications', '', 2)
  const trial = {
    bench,
    consumer: join(import.meta.dirname, 'consumer.ts'),
    events: () => [...newOrder(), ...newOrder()],
    plan: someSteps(4),
  }
  for await (const { crash, events } of crashAtEveryStep(trial)) {
    const orderIds = events.map(({ data }) => 'orderId' in data && data.orderId)
    const { rows } = await bench.pool.query(
      'select kind, count(*)::int as orders from mail where order_id = any($1) group by kind order by kind',
      [orderIds],
    )
    expect({ crash, rows }).toEqual({
      crash,
      rows: [
        { kind: 'payment_declined', orders: 2 },
        { kind: 'received', orders: 2 },
      ],
    })
  }
}, 120_000)
