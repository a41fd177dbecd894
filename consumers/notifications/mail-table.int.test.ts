import { expect, test } from '@jest/globals'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { openTables } from '../testing/open-tables.ts'
import type { Mails } from './decide-mail.ts'
import { mailTable } from './mail-table.ts'

test('mails are written once and known afterwards', async () => {
  await using tables = await openTables('notifications')
  const { pool } = tables
  const mail = (kind: string) => ({ kind, subject: `about ${kind}`, eventId: `event-${kind}`, time: 1_700_000_000_123 })
  const save = (orderId: string, mails: Mails) =>
    inTransaction(pool, (tx) => mailTable.save(tx, new Map([[orderId, mails]])))
  await save('o-1', { known: ['received', 'shipped'], fresh: [mail('received'), mail('shipped')] })
  await save('o-2', { known: ['received'], fresh: [mail('received')] })
  await save('o-1', { known: ['received', 'shipped', 'cancelled'], fresh: [mail('cancelled')] })

  const loaded = await inTransaction(pool, (tx) => mailTable.load(tx, ['o-1', 'o-2', 'o-3']))
  expect([...loaded.keys()].sort()).toEqual(['o-1', 'o-2'])
  expect(new Set(loaded.get('o-1')?.known)).toEqual(new Set(['received', 'shipped', 'cancelled']))
  expect(loaded.get('o-2')).toEqual({ known: ['received'], fresh: [] })
  const { rows } = await pool.query(`select * from mail where order_id = 'o-2'`)
  expect(rows).toEqual([
    {
      order_id: 'o-2',
      kind: 'received',
      subject: 'about received',
      event_id: 'event-received',
      time: new Date(1_700_000_000_123),
    },
  ])
})
