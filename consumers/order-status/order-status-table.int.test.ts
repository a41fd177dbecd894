import { expect, test } from '@jest/globals'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { openTables } from '../testing/open-tables.ts'
import { unseen } from './decide-order-status.ts'
import type { OrderStatus, TimelineEntry } from './decide-order-status.ts'
import { orderStatusTable } from './order-status-table.ts'

const entry = (seq: number): TimelineEntry => ({
  seq,
  eventId: `event-${seq}`,
  type: 'PaymentDeclined',
  time: 1_700_000_000_123,
  at: { topic: 'payments', partition: 3, offset: 2 ** 40 },
  summary: 'the gateway declined: "no", \\{or not}',
})

test('what is saved is loaded again, and the timeline only grows', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  const save = (...states: [string, OrderStatus][]) =>
    inTransaction(pool, (tx) => orderStatusTable.save(tx, new Map(states)))
  const full: OrderStatus = {
    status: 'rejected',
    reason: 'insufficient_funds',
    seen: ['OrderPlaced', 'PaymentDeclined'],
    order: { customerId: 'c-1', currency: 'EUR', totalMinor: 2 ** 50, placedAt: 1_700_000_000_001 },
    shipment: {
      carrier: 'Swift "}',
      trackingNumber: 'T1',
      labelUrl: 'http://carrier/labels/T1',
      pickupFrom: 1_700_000_000_002,
      pickupUntil: 2 ** 50,
    },
    updatedAt: 1_700_000_000_123,
    endedAt: 1_700_000_000_123,
    entries: 2,
    fresh: [entry(1), entry(2)],
  }
  const bare: OrderStatus = { ...unseen, seen: ['StockReserved'], updatedAt: 1_700_000_000_000, entries: 1 }
  await save(['o-full', full], ['o-bare', bare])
  await save(['o-full', { ...full, entries: 3, fresh: [entry(3)] }])

  const loaded = await inTransaction(pool, (tx) => orderStatusTable.load(tx, ['o-full', 'o-bare', 'o-none']))
  expect(loaded.get('o-full')).toEqual({ ...full, entries: 3, fresh: [] })
  expect(loaded.get('o-bare')).toEqual(bare)
  expect(loaded.size).toBe(2)
  const { rows } = await pool.query('select * from timeline order by order_id, seq')
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3])
  expect(rows[0]).toEqual({
    order_id: 'o-full',
    seq: 1,
    event_id: 'event-1',
    type: 'PaymentDeclined',
    time: new Date(1_700_000_000_123),
    topic: 'payments',
    partition: 3,
    offset: 2 ** 40,
    summary: 'the gateway declined: "no", \\{or not}',
  })
})
