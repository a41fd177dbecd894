import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Pool } from '../../postgres/pool.ts'
import { inTransaction } from '../../postgres/transaction.ts'
import { keyIdOf, openText } from '../sealed-text.ts'
import type { SealingKey } from '../sealed-text.ts'
import { createOrdersBench, newOrder } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { OrdersBench } from '../../../producers/orders-api/testing/orders-bench.ts'
import { ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { sealEvent } from '../../../schemas/personal-data.ts'
import { CustomerKeys, keysKeptMs } from './customer-keys.ts'

let bench: OrdersBench
beforeAll(async () => void (bench = await createOrdersBench()))
afterAll(() => bench[Symbol.asyncDispose]())

const setUp = () => {
  let now = 0
  const keys = new CustomerKeys(ordersSchema(bench.sandbox.namespace), () => now)
  return { keys, wait: (ms: number) => void (now += ms) }
}
const keyOf = async (keys: CustomerKeys, customer: string) =>
  (await keys.find(bench.pool, [customer])).get(customer) as SealingKey
const erase = (customer: string) =>
  bench.pool.query('update customer_key set key = null, erased_at = now() where customer_id = $1 and key is not null', [
    customer,
  ])
const order = (customerId: string) => ({
  ...{ orderId: 'o-1', customerId, currency: 'EUR', totalMinor: 1, placedAt: 1_750_000_000_000 },
  ...{ lines: [{ sku: 'tea', quantity: 1, unitPriceMinor: 1, amountMinor: 1 }], shipTo: newOrder.shipTo },
})

test('twenty processes that need the key of a new customer at once get the same one', async () => {
  const found = await Promise.all(Array.from({ length: 20 }, () => keyOf(setUp().keys, 'c-raced')))
  expect(new Set(found.map(({ id, cipher }) => `${id} ${cipher.export().toString('hex')}`)).size).toBe(1)
})

test('a customer whose new key is erased at once gets another: nothing is left unsealed', async () => {
  await bench.pool.query(
    `create function erase_first() returns trigger language plpgsql as $$ begin
       if not exists (select from customer_key where customer_id = new.customer_id) then
         new.key := null; new.erased_at := now();
       end if;
       return new;
     end $$`,
  )
  await bench.pool.query(
    `create trigger erase_first before insert on customer_key for each row
     when (new.customer_id = 'c-erased') execute function erase_first()`,
  )
  const { keys } = setUp()
  const found = await keys.find(bench.pool, ['c-erased', 'c-other'])
  expect([...found.keys()].sort()).toEqual(['c-erased', 'c-other'])
})

test('an order is opened by the id of its key, until the customer is forgotten and the keys kept are too old', async () => {
  const { keys, wait } = setUp()
  const sealed = sealEvent(await keyOf(keys, 'c-read'), 'OrderPlaced', order('c-read'))
  const texts = [sealed.shipTo.recipient, sealed.shipTo.street, 'clear']
  const reader = setUp()
  expect((await reader.keys.open(bench.pool, texts))?.texts).toEqual(['Jane Roe', 'High Street 1', 'clear'])
  await erase('c-read')
  expect(await setUp().keys.open(bench.pool, texts)).toBeUndefined()
  reader.wait(keysKeptMs)
  expect(await reader.keys.open(bench.pool, texts)).toBeUndefined()
  wait(keysKeptMs)
  const next = await keyOf(keys, 'c-read')
  expect(next.id).toBeGreaterThan(keyIdOf(texts[0] ?? '') ?? Infinity)
  expect(() => openText(next, texts[0] ?? '')).toThrow('cannot be opened')
})

test('keys that are looked up at the same time share a statement', async () => {
  const customers = Array.from({ length: 20 }, (_, index) => `c-shared-${index}`)
  const made = await setUp().keys.find(bench.pool, customers)
  const sealed = [...made].map(([customer, key]) => sealEvent(key, 'OrderPlaced', order(customer)).shipTo.recipient)
  let statements = 0
  const query = (...asked: Parameters<typeof bench.pool.query>) => (statements++, bench.pool.query(...asked))
  const { keys } = setUp()
  const counting = { query } as unknown as Pool
  const opened = await Promise.all(sealed.map((text) => keys.open(counting, [text])))
  expect(opened.map((each) => each?.texts)).toEqual(customers.map(() => ['Jane Roe']))
  expect(statements).toBe(2) // The first alone, the others meanwhile
})

test('a key that is not in the table was not erased, but lost: nobody takes it for forgotten', async () => {
  const lost = `sealed:1:999999:${'A'.repeat(40)}`
  await expect(setUp().keys.open(bench.pool, [lost])).rejects.toMatchObject({ code: 'INVARIANT' })
})

test('a held key outlasts its transaction; one that is being erased is not held, and nobody waits for it', async () => {
  const { keys } = setUp()
  const key = await keyOf(keys, 'c-held')
  await inTransaction(bench.pool, async (tx) => {
    expect(await keys.hold(tx, [key])).toEqual([])
    const { rows } = await bench.pool.query(`select id from customer_key where id = $1 for update skip locked`, [
      key.id,
    ])
    expect(rows).toEqual([])
  })
  await inTransaction(bench.pool, async (tx) => {
    await tx.query('select from customer_key where id = $1 for update', [key.id])
    expect(await inTransaction(bench.pool, (other) => keys.hold(other, [key]))).toEqual([key])
  })
})
