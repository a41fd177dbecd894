import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { EventNode, OrderTrace } from '../../consumers/operations/trace/order-trace.ts'
import { targetsFile } from '../../infra/stack/supervisor/stack-record.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

const folder = join(import.meta.dirname, '../../infra/observability')
let stack: TestStack

beforeAll(async () => {
  stack = await createTestStack(24_800, { TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'fatal' })
  await stack.start()
})
afterAll(() => stack.close())

interface Target {
  readonly targets: readonly [string]
  readonly labels: { readonly job: string; readonly instance: string }
}

const targets = () => JSON.parse(readFileSync(targetsFile(stack.config.dataDir), 'utf8')) as Target[]
const instances = () => targets().map(({ labels }) => labels.instance)
const get = (address: string, path: string) => fetch(`http://${address}${path}`)
const all = ['orders-api', 'inventory', 'notifications', 'order-status', 'payment', 'shipping']

test('every service is listed for Prometheus and becomes ready; added replicas are listed, and again after a kill', async () => {
  expect(instances().sort()).toEqual(all.toSorted())
  await waitUntil('all are ready', async () => {
    const answers = await Promise.all(targets().map(({ targets: [address] }) => get(address, '/ready')))
    return answers.every(({ status }) => status === 200)
  })
  succeeded(await stack.run('scale', 'payment=2'))
  expect(targets()).toContainEqual(expect.objectContaining({ labels: { job: 'payment', instance: 'payment-2' } }))
  const { processes } = JSON.parse(succeeded(await stack.run('stack', 'status', '--json'))) as {
    processes: { name: string; identity: { pid: number }; monitor?: string }[]
  }
  const killed = processes.find(({ name }) => name === 'payment-2')
  expect(killed?.monitor).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const addressOf = (name: string) => targets().find(({ labels }) => labels.instance === name)?.targets[0]
  const before = addressOf('payment-2')
  process.kill(killed?.identity.pid ?? 0, 'SIGKILL')
  await waitUntil('it is not listed', () => !instances().includes('payment-2') || addressOf('payment-2') !== before)
  const address = await waitUntil('it is listed again', () => addressOf('payment-2'))
  await waitUntil('it is ready again', async () => (await get(address, '/ready')).status === 200)
})

test('dashboard and alerts name metrics that the services have', async () => {
  const texts = await Promise.all(
    targets().map(async ({ targets: [address] }) => (await get(address, '/metrics')).text()),
  )
  const scraped = new Set(texts.flatMap((text) => [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name)))
  const rules = readFileSync(join(folder, 'alerts.yml'), 'utf8')
  const dashboard = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as object
  const named = `${rules}${JSON.stringify(dashboard)}`.match(/\b(tally|http_server|process|nodejs)_\w+/g) ?? []
  const missing = new Set(
    named.filter((name) => !scraped.has(name) && !scraped.has(name.replace(/_(bucket|sum|count)$/, ''))),
  )
  expect([...missing]).toEqual([])
  expect(new Set(named).size).toBeGreaterThan(20)
})

test('an order is traced from the database and the topics: every event under its cause, with the calls in between', async () => {
  succeeded(await stack.run('produce', 'OrderPlaced', '--count', '1', '--seed', '7'))
  const { pool, namespace } = stack.sandbox
  const orderId = await waitUntil('the order has ended', async () => {
    const { rows } = await pool.query<{ id: string }>(
      `select order_id as id from ${namespace}order_status.order_status where ended_at is not null`,
    )
    return rows[0]?.id
  })
  const types = (events: readonly EventNode[]): string[] =>
    events.flatMap(({ type, reactions }) => [type, ...reactions.flatMap((reaction) => types(reaction.events))])
  // Without stock the order is rejected, and its payment, if it was authorized, is voided
  const trace = await waitUntil('the payment is settled', async () => {
    const found = JSON.parse(succeeded(await stack.run('trace', orderId, '--json'))) as OrderTrace
    return types(found.roots).some((type) => /^Payment(Voided|Declined)$/.test(type)) ? found : undefined
  })
  expect(trace.roots.map(({ type }) => type)).toEqual(['OrderPlaced'])
  expect(types(trace.roots)).toContain('StockRejected')
  const [order] = trace.roots
  const payment = order?.reactions.find(({ group }) => group === 'payment')
  expect(payment?.takenAt).toBeGreaterThan(0)
  expect(order?.place).toMatch(/^orders\/\d@\d+$/)
  const ways = (events: readonly EventNode[]): string[] =>
    events.flatMap(({ way, reactions }) => [...way, ...reactions.flatMap((reaction) => ways(reaction.events))])
  expect(ways(trace.roots)).toContain('call authorize')
  expect(succeeded(await stack.run('trace', orderId))).toContain('└─')
  const nobodys = '019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77'
  const unknown = await stack.run('trace', nobodys)
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Nothing is known of an order') })
  const notShown = await stack.run('orders', 'show', nobodys)
  expect(notShown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`No order "${nobodys}" is known`) })
  const noStatus = await stack.run('orders', 'find', '--status', 'nosuch')
  expect(noStatus).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Allowed choices are') })
})
