import { expect, test } from '@jest/globals'
import { proxyDatabase } from '../../orders-api/testing/database-proxy.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { messageFor, orderFor } from './bridge-bench.ts'
import type { BridgeBench, SentMessage } from './bridge-bench.ts'
import { spawnBridge } from './bridge-process.ts'

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
const once = (all: readonly string[]) => new Map(all.map((name) => [name, 1]))

/** The orders of these messages. */
async function ordersOf({ orders }: BridgeBench, prefix: string) {
  return new Map([...(await orders())].filter(([name]) => name.startsWith(`${prefix}-`)))
}

/** What every door promises, whatever its queue. Each case has a queue of its own. */
export function doorCases(bench: () => BridgeBench): void {
  const { create, start, sender } = {
    create: (queue: string) => bench().create(queue),
    start: (...args: Parameters<BridgeBench['start']>) => bench().start(...args),
    sender: () => bench().sender,
  }
  const placed = (prefix: string, count: number) =>
    waitUntil(`${count} orders of ${prefix}`, async () => (await ordersOf(bench(), prefix)).size >= count, {
      withinMs: 120_000,
    })
  const settled = (queue: string) =>
    waitUntil(`nothing waits in ${queue}`, async () => (await sender().waiting(queue)) === 0)

  test('each message is one order, however often it is sent and however many bridges share the queue', async () => {
    const request = await create('shared')
    const all = names('shared', 200)
    await sender().send(
      'shared',
      all.map((name) => messageFor(name)),
    )
    const bridges = [await start(request), await start(request)]
    await sender().send(
      'shared',
      all.map((name) => messageFor(name)),
    )
    await placed('shared', 200)
    await settled('shared')
    await Promise.all(bridges.map((bridge) => bridge.stop()))
    // What was in work when a slow bridge had to stop comes back, and is acknowledged before the order of a last message
    await using next = await start(request)
    await sender().send('shared', [messageFor('shared-last')])
    await placed('shared', 201)
    await settled('shared')
    await next.stop()
    expect(await sender().waiting('shared')).toBe(0)
    expect(await ordersOf(bench(), 'shared')).toEqual(once([...all, 'shared-last']))
    expect(await sender().deadLetters('shared')).toEqual([])
  })

  test('what cannot be an order goes to the dead-letter queue with its problem, and holds up nothing', async () => {
    const request = await create('bad')
    await using _bridge = await start(request)
    const known = orderFor('bad-0')
    const bad: [SentMessage, number][] = [
      [{ id: 'text', body: 'two cups of tea' }, 400],
      [{ id: 'xml', body: '<order/>', contentType: 'application/xml' }, 415],
      [{ id: 'price', body: JSON.stringify({ ...known, price: 1 }) }, 400],
      [{ id: 'article', body: JSON.stringify({ ...known, lines: [{ sku: 'ship', quantity: 1 }] }) }, 422],
      [{ id: 'large', body: JSON.stringify(known) + ' '.repeat(256 * 1024) }, 413],
      [{ id: 'avro', body: Buffer.from([0, 0, 0, 0, 99]).toString('base64'), contentType: 'text/avro' }, 415],
      [messageFor('other', { body: JSON.stringify(orderFor('bad-1')) }), 409],
    ]
    await sender().send('bad', [messageFor('other', { body: JSON.stringify(orderFor('bad-0')) })])
    await placed('bad', 1)
    await sender().send('bad', [...bad.map(([message]) => message), messageFor('bad-2')])
    await placed('bad', 2)
    await settled('bad')
    const letters: Awaited<ReturnType<ReturnType<typeof sender>['deadLetters']>> = []
    await waitUntil('all dead letters', async () => {
      letters.push(...(await sender().deadLetters('bad')))
      return letters.length >= bad.length
    })
    expect(new Map(letters.map(({ id, problem }) => [id, problem.status]))).toEqual(
      new Map(bad.map(([{ id }, status]) => [id, status])),
    )
    expect(letters).toHaveLength(bad.length)
    expect(letters.find(({ id }) => id === 'large')?.body).toHaveLength(bad[4]![0].body.length)
    expect(letters.find(({ id }) => id === 'article')?.problem.errors).toMatchObject([{ path: '/lines/0/sku' }])
    expect([...(await ordersOf(bench(), 'bad')).keys()]).toEqual(['bad-0', 'bad-2'])
  })

  test('while the database is away messages wait, and an answer lost on the way doubles nothing', async () => {
    const request = await create('away')
    await using proxy = await proxyDatabase(bench().bench.sandbox.config.postgres.url)
    await using _bridge = await start(request, { databaseUrl: proxy.url })
    const swallowed = proxy.swallowNextCommit()
    const all = names('away', 30)
    await sender().send(
      'away',
      all.map((name) => messageFor(name)),
    )
    await swallowed
    proxy.cut()
    await sender().send('away', [messageFor('away-late')])
    proxy.mend()
    await placed('away', 31)
    await settled('away')
    expect(await ordersOf(bench(), 'away')).toEqual(once([...all, 'away-late'].toSorted()))
    expect(await sender().deadLetters('away')).toEqual([])
  })

  test('a bridge that stops leaves what it has not done to the next one', async () => {
    const request = await create('stop')
    const all = names('stop', 400)
    await sender().send(
      'stop',
      all.map((name) => messageFor(name)),
    )
    const first = await start(request)
    await placed('stop', 20)
    await first.stop()
    await start(request)
    await placed('stop', 400)
    await settled('stop')
    expect(await ordersOf(bench(), 'stop')).toEqual(once(all.toSorted()))
  })

  test('a message that was delivered thirty times, because bridges ended, is an order all the same', async () => {
    const request = await create('again')
    await sender().send('again', [messageFor('again-1')])
    await sender().deliver('again', 30)
    await sender().send('again', [messageFor('again-2')])
    await using _bridge = await start(request)
    await placed('again', 2)
    await settled('again')
    expect(await sender().deadLetters('again')).toEqual([])
    const noted = await bench().bench.pool.query('select from message_attempt')
    expect(noted.rowCount).toBe(0)
  })

  test('the clock of a sender decides nothing', async () => {
    const request = await create('skew')
    await using _bridge = await start(request)
    const [past, future] = [Date.UTC(1990, 0), Date.UTC(2090, 0)].map((ms) => ms / 1_000)
    await sender().send('skew', [
      messageFor('skew-past', { sentAt: past }),
      messageFor('skew-future', { sentAt: future }),
    ])
    await placed('skew', 2)
    const skewed = (await bench().stored()).filter(({ name }) => name.startsWith('skew-'))
    expect(skewed.filter(({ age }) => age < 600)).toHaveLength(2)
  })
}

/** Sends orders of a few customers, takes over in the middle, and expects each customer's in the order in which they were sent. */
export async function expectOrderPerCustomer(bench: BridgeBench, queue: string, takeOver: () => Promise<void>) {
  const customers = ['ann', 'bob', 'cleo']
  const all = names('turn', 150).map((name, index) => ({ name, customer: customers[index % 3] as string }))
  await bench.sender.send(
    queue,
    all.map(({ name, customer }) => messageFor(name, { customer, group: customer })),
  )
  await waitUntil('the first orders', async () => (await ordersOf(bench, 'turn')).size >= 10)
  await takeOver()
  const stored = async () => (await ordersOf(bench, 'turn')).size >= all.length
  await waitUntil('all orders', stored, { withinMs: 200_000 })
  const rows = (await bench.stored()).filter(({ name }) => name.startsWith('turn-'))
  expect(rows).toHaveLength(all.length)
  for (const customer of customers)
    expect(rows.filter((row) => row.customer === customer).map(({ name }) => name)).toEqual(
      all.filter((one) => one.customer === customer).map(({ name }) => name),
    )
}

/**
 * Sends messages that are too large to be orders, and has a bridge take them.
 * @returns the most memory that it had, MB
 */
export async function memoryOfLargeMessages(
  bench: BridgeBench,
  queue: string,
  count: number,
  bytes: number,
): Promise<number> {
  const request = await bench.create(queue)
  const body = Buffer.alloc(bytes, ' ')
  for (const name of names('large', count)) await bench.sender.send(queue, [{ id: name, body }])
  await bench.sender.send(queue, [messageFor(`${queue}-last`)])
  await using bridge = spawnBridge({ ...request, prefetch: 200 }, { ...bench.bench.sandbox.env, ...bench.server.env })
  const [within, ids] = [{ withinMs: 200_000 }, new Set<string | undefined>()]
  const letters = async () => {
    for (const { id, problem } of await bench.sender.deadLetters(queue)) if (problem.status === 413) ids.add(id)
    return ids.size === count
  }
  await waitUntil('all dead letters', letters, within)
  await waitUntil('the order', async () => (await bench.orders()).has(`${queue}-last`), within)
  return Math.round(bridge.peakBytes() / 2 ** 20)
}
