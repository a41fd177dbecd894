import { expect, test } from '@jest/globals'
import { openMonitor } from '../../infra/monitor/monitor.ts'
import { TcpProxy } from '../../infra/testing/faults/tcp-proxy.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createOrdersBench, newOrder } from './testing/orders-bench.ts'

const patience = { withinMs: 120_000 }

test('the orders API is not ready while the database does not commit, and is again afterwards; without Kafka it stays ready', async () => {
  await using bench = await createOrdersBench()
  await using stack = new AsyncDisposableStack()
  const target = new URL(bench.sandbox.config.postgres.url)
  const proxy = stack.use(await TcpProxy.open({ target: { host: target.hostname, port: Number(target.port) } }))
  const databaseUrl = Object.assign(new URL(target), { hostname: '127.0.0.1', port: String(proxy.port) }).href
  const monitor = await openMonitor({ service: 'orders-api', replica: 'api@test:1', host: '127.0.0.1', port: 0 })
  stack.defer(() => monitor.stop())
  const api = stack.use(await bench.start('watched', { databaseUrl, kafkaAway: true, meter: monitor.meter as never }))
  monitor.ready(api.checks ?? {})
  const ready = async () => {
    const response = await fetch(`${monitor.url}/ready`)
    return { status: response.status, ...((await response.json()) as { checks: Record<string, string> }) }
  }
  const place = () =>
    fetch(`${api.url}/orders`, {
      ...{ method: 'POST', body: JSON.stringify(newOrder), headers: { 'content-type': 'application/json' } },
    })
  expect((await place()).status).toBe(201)
  await waitUntil('it is ready, and its order waits for Kafka', async () => {
    const metrics = await (await fetch(`${monitor.url}/metrics`)).text()
    return (await ready()).status === 200 && /tally_outbox_age_seconds [1-9]/.test(metrics)
  })
  for (const kind of ['stall', 'cut'] as const) {
    proxy.inject({ kind })
    await waitUntil(`it is not ready: ${kind}`, async () => (await ready()).status === 503, patience)
    const { checks } = await ready()
    expect(checks['commit']).toMatch(/does not answer|no answer/)
    expect((await fetch(`${monitor.url}/live`)).status).toBe(200)
    proxy.heal()
    await waitUntil(`it is ready again: ${kind}`, async () => (await ready()).status === 200, patience)
    expect((await place()).status).toBe(201)
  }
})
