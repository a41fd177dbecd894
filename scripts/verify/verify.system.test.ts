import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { createTestStack } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'
import { verify } from './verify.ts'

interface JournalLine {
  answer?: { captureId?: string }
}

/** Tampers with each table and the journal of a stopped pipeline; `verify` must find it. */
describe('verify', () => {
  let stack: TestStack
  let journal: JournalLine[]
  // Serves the journal that the test has set
  const gateway = createServer((_request, response) =>
    response.end(journal.map((line) => `${JSON.stringify(line)}\n`).join('')),
  )

  beforeAll(async () => {
    stack = await createTestStack(26_200)
    const { exitCode, stderr } = await stack.run('demo', '--exit', '--json', '--orders', '60')
    if (exitCode !== 0) throw new Error(stderr)
    const text = await readFile(join(stack.config.dataDir, 'simulators', 'gateway.ndjson'), 'utf8')
    const lines = text.trim().split('\n')
    journal = lines.map((line) => JSON.parse(line) as JournalLine).filter(({ answer }) => answer)
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    gateway.close()
    await stack.close()
  })

  /** Ids of the invariants that are violated. */
  async function violated(): Promise<string[]> {
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
    const { findings, ok } = await verify(
      { ...stack.config, gateway: { ...stack.config.gateway, url } },
      { settleWithinMs: 0 },
    )
    const ids = findings.filter(({ violations }) => violations > 0).map(({ id }) => id)
    expect(ok).toBe(ids.length === 0)
    return ids.sort()
  }

  test('proves an untouched pipeline, twice: it leaves no trace', async () => {
    expect(await violated()).toEqual([])
    expect(await violated()).toEqual([])
    const admin = stack.sandbox.kafka.admin()
    await admin.connect()
    const { groups } = await admin.listGroups()
    await admin.disconnect()
    expect(groups.filter(({ groupId }) => groupId.startsWith(`${stack.sandbox.namespace}verify`))).toEqual([])
  })

  const one = (table: string, condition = 'true') => `ctid = (select ctid from ${table} where ${condition} limit 1)`
  test.each<[string, string, string, (table: string) => string, string[]]>([
    [
      'stock that was never delivered',
      'inventory',
      'stock',
      (t) => `update ${t} set on_hand = on_hand + 1, replenished = replenished + 1 where ${one(t)}`,
      ['stock-conserved', 'tables-equal-fold'],
    ],
    [
      'stock that vanished',
      'inventory',
      'stock',
      (t) => `delete from ${t} where ${one(t)}`,
      ['stock-conserved', 'tables-equal-fold'],
    ],
    [
      'a reservation that was never released',
      'inventory',
      'reservation',
      (t) => `update ${t} set phase = 'reserved' where ${one(t, `phase = 'shipped'`)}`,
      ['stock-conserved', 'tables-equal-fold'],
    ],
    [
      'a payment in another phase',
      'payment',
      'payment',
      (t) => `update ${t} set phase = 'voided' where ${one(t, `phase = 'captured'`)}`,
      ['tables-equal-fold'],
    ],
    [
      'a shipment in another phase',
      'shipping',
      'shipment',
      (t) => `update ${t} set phase = 'cancelled' where ${one(t, `phase = 'scheduled'`)}`,
      ['tables-equal-fold'],
    ],
    [
      'an order with an outdated status',
      'order-status',
      'order_status',
      (t) => `update ${t} set status = 'shipping' where ${one(t, `status = 'completed'`)}`,
      ['tables-equal-fold'],
    ],
    [
      'an order missing from the table of the API',
      'orders',
      'placed_order',
      (t) => `delete from ${t} where ${one(t)}`,
      ['orders-accepted'],
    ],
    [
      'an order accepted for another amount',
      'orders',
      'placed_order',
      (t) => `update ${t} set total_minor = total_minor + 1 where ${one(t)}`,
      ['orders-accepted'],
    ],
    [
      'an id missing from the inbox',
      'payment',
      'inbox',
      (t) => `delete from ${t} where event_id = (select event_id from ${t} order by event_id limit 1)`,
      ['taken-once'],
    ],
    [
      'an extra id in the inbox',
      'payment',
      'inbox',
      (t) => `insert into ${t} (event_id) values ('${newEventId()}')`,
      ['taken-once'],
    ],
    [
      'a span missing from the ledger',
      'shipping',
      'ledger',
      (t) => `delete from ${t} where ${one(t, 'next_offset > first_offset')}`,
      ['offsets-tiled', 'settled', 'taken-once'],
    ],
    [
      'an offset skipped by the ledger',
      'shipping',
      'ledger',
      (t) => `update ${t} set first_offset = first_offset + 1, taken = taken - 1 where ${one(t, 'taken > 0')}`,
      ['offsets-tiled', 'taken-once'],
    ],
    [
      'a processed offset that the ledger counts as ignored',
      'shipping',
      'ledger',
      (t) => `update ${t} set ignored = ignored + 1, taken = taken - 1 where ${one(t, 'taken > 0')}`,
      ['taken-once'],
    ],
    [
      'an event that was assigned a number and never published',
      'payment',
      'lane',
      (t) => `update ${t} set next_seq = next_seq + 1 where ${one(t)}`,
      ['outbox-published'],
    ],
    [
      'an event that was published and never assigned a number',
      'payment',
      'lane',
      (t) => `update ${t} set next_seq = next_seq - 1 where ${one(t, 'next_seq > 1')}`,
      ['outbox-published'],
    ],
    [
      'a call that is never made',
      'payment',
      'call',
      (t) =>
        `insert into ${t} (id, lane, key, kind, request, cause) values ('${newEventId()}', 0, 'k', 'capture', '{}', '{}')`,
      ['settled'],
    ],
  ])('finds %s', async (_what, group, name, tamper, expected) => {
    const { pool, namespace } = stack.sandbox
    const schema = `"${schemaName(namespace, group)}"`
    const table = `${schema}.${name}`
    await pool.query(`create table ${schema}.untouched as table ${table}`)
    try {
      const { rowCount } = await pool.query(tamper(table))
      expect(rowCount).toBe(1)
      expect(await violated()).toEqual(expected)
    } finally {
      await pool.query(`delete from ${table}`)
      await pool.query(`insert into ${table} table ${schema}.untouched`)
      await pool.query(`drop table ${schema}.untouched`)
    }
  })

  test.each<[string, (lines: JournalLine[]) => JournalLine[]]>([
    [
      'a second capture at the gateway',
      (lines) =>
        lines.flatMap((line) =>
          line === capture(lines) ? [line, { ...line, answer: { captureId: 'again' } }] : [line],
        ),
    ],
    ['a capture missing at the gateway', (lines) => lines.filter((line) => line !== capture(lines))],
  ])('finds %s', async (_what, tamper) => {
    const untouched = journal
    journal = tamper(journal)
    try {
      expect(await violated()).toEqual(['gateway-agrees'])
    } finally {
      journal = untouched
    }
  })

  // Must be the last test: the record stays on the topic
  test('finds an event that claims an outbox it did not come from', async () => {
    const { kafka, namespace, pool } = stack.sandbox
    const orders = `"${schemaName(namespace, 'orders')}"`
    const { rows } = await pool.query<{ order_id: string; lane: number }>(
      `select order_id, (select min(lane) from ${orders}.lane) as lane from ${orders}.placed_order limit 1`,
    )
    const producer = kafka.producer({ retry: { retries: 5 } })
    await producer.connect()
    const headers = {
      ce_id: newEventId(),
      ce_type: 'tally.orders.OrderPlaced',
      ce_sourcelane: `orders-api/${rows[0]?.lane}`,
      ce_sequence: '999999',
    }
    await producer.send({
      topic: `${namespace}orders`,
      messages: [{ key: rows[0]?.order_id ?? '', value: 'no Avro', headers }],
    })
    await producer.disconnect()
    expect(await violated()).toEqual(['offsets-tiled', 'outbox-published', 'settled', 'taken-once'])
  })
})

const capture = (lines: readonly JournalLine[]) => lines.find(({ answer }) => answer?.captureId !== undefined)
