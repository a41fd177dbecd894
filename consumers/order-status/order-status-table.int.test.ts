import { expect, test } from '@jest/globals'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { openTables } from '../testing/open-tables.ts'
import { decideOrderStatus, unseen } from './decide-order-status.ts'
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

test('an event that a reprocessing hands in again corrects its line in the timeline and adds none', async () => {
  await using tables = await openTables('order-status')
  const { pool } = tables
  const orderId = 'o-1'
  const take = (eventId: string, reason: string) =>
    inTransaction(pool, async (tx) => {
      const state = (await orderStatusTable.load(tx, [orderId])).get(orderId) ?? unseen
      const event = { type: 'CancellationRequested', data: { orderId, reason, requestedAt: 0 } } as const
      const at = { topic: 'orders', partition: 0, offset: 0 }
      const next = decideOrderStatus(event, state, { key: orderId, eventId, time: 1_000, at }).state ?? state
      await orderStatusTable.save(tx, new Map([[orderId, next]]))
    })
  await take('first', 'too late')
  await take('second', 'too late')
  await pool.query("update timeline set summary = 'wrong'")
  await take('first', 'too late')
  await take('third', 'too late')

  const { rows } = await pool.query('select seq, event_id, summary <> $1 as right from timeline order by seq', [
    'wrong',
  ])
  expect(rows).toEqual([
    { seq: 1, event_id: 'first', right: true },
    { seq: 2, event_id: 'second', right: false },
    { seq: 3, event_id: 'third', right: true },
  ])
  expect((await pool.query('select entries from order_status')).rows).toEqual([{ entries: 3 }])
})
