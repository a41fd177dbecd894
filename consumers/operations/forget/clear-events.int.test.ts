import { expect, test } from '@jest/globals'
import { schemaName } from '../../runtime/load-consumer.ts'
import { mendable } from '../../runtime/testing/mendable.ts'
import { countTable, orderPlaced } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import { readParkedOf } from '../../runtime/tables/parked-list.ts'
import { editParked, encodeEdit } from '../parked/edit-parked.ts'
import { blankAudited, blankParked, findClearEvents } from './clear-events.ts'

const by = { actor: 'ada', why: 'ticket 4711' }
const secret = 'Zenobia Quux'

/** An order as an old version wrote it. */
const clear = (orderId: string) => {
  const order = orderPlaced(orderId, 'throws')
  return { ...order, data: { ...order.data, shipTo: { ...order.data.shipTo, recipient: secret } } }
}

test('parked events and their audits lose what they say of a customer', async () => {
  await using bench = await openTestBench('tester', countTable, 1, { TALLY_RETRY_LIMIT: '0' })
  const { pool, codec, config, sandbox } = bench
  await bench.publish([clear('o-1'), clear('o-2')])
  await bench.publishRaw('orders', { key: 'o-3', value: Buffer.from(secret), headers: {} })
  await bench.replica(mendable('tester', () => true))
  await bench.settled(['orders'])
  const [row] = await readParkedOf(pool, ['o-1'])
  const edited = encodeEdit(row!, clear('o-1'), codec, 1)
  await editParked(pool, edited, by, { redrive: false })

  const group = { name: 'tester', pool }
  const found = await findClearEvents(group, ['o-1', 'o-2', 'o-3'], codec)
  expect(found).toMatchObject({ parked: [{ key: 'o-1' }, { key: 'o-2' }], unreadable: 1, audited: [{}] })
  expect(await findClearEvents(group, ['o-4'], codec)).toEqual({ parked: [], unreadable: 0, audited: [] })
  for (let run = 0; run < 2; run++) {
    const { parked } = await findClearEvents(group, ['o-1', 'o-2'], codec)
    expect(parked).toHaveLength(run === 0 ? 2 : 0)
    await blankParked(group, parked, by, { codec, partitions: 1 })
    await blankAudited(pool, await findClearEvents(group, ['o-1', 'o-2'], codec))
  }

  const schema = schemaName(config.namespace, 'tester')
  const { rows } = await sandbox.pool.query<{ found: boolean; audited: number }>(
    `select bool_or(position($1::bytea in value) > 0) as found, (select count(*) from "${schema}".parked_audit
       where position($1::bytea in before) > 0 or position($1::bytea in after) > 0) as audited
     from "${schema}".parked where key <> 'o-3'`,
    [Buffer.from(secret)],
  )
  expect(rows).toEqual([{ found: false, audited: 0 }])
  const [after] = await readParkedOf(pool, ['o-1'])
  expect(codec.decode(after!.value)).toMatchObject({ data: { totalMinor: 100, shipTo: { recipient: '', street: '' } } })
})
