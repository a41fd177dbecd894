import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { openMonitor, readiness } from './monitor.ts'

const options = { service: 'payment', replica: 'payment@test:1', host: '127.0.0.1' }

async function ask(url: string | undefined, path: string) {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, text: await response.text() }
}

test('a process that is not monitored loads nothing and listens nowhere', async () => {
  const monitor = await openMonitor(options)
  expect(monitor.url).toBeUndefined()
  expect(monitor.meter).toBeUndefined()
  await monitor.stop()
})

test('it is alive from the beginning, and ready between its start and its end while every check passes', async () => {
  const monitor = await openMonitor({ ...options, port: 0 })
  const ready = async () => {
    const { status, text } = await ask(monitor.url, '/ready')
    return { status, body: JSON.parse(text) as unknown }
  }
  try {
    expect(await ask(monitor.url, '/live')).toMatchObject({ status: 200 })
    expect(await ready()).toEqual({ status: 503, body: { ready: false, reason: 'starting' } })
    const found: { reason?: string } = {}
    monitor.ready({ heartbeat: () => found.reason, commit: async () => undefined })
    expect(await ready()).toEqual({ status: 200, body: { ready: true, checks: { heartbeat: 'ok', commit: 'ok' } } })
    found.reason = 'no answer'
    expect(await ready()).toMatchObject({ status: 503, body: { checks: { heartbeat: 'no answer', commit: 'ok' } } })
    monitor.ending()
    expect(await ready()).toEqual({ status: 503, body: { ready: false, reason: 'ending' } })
    expect(await ask(monitor.url, '/live')).toMatchObject({ status: 200 })
    expect(await ask(monitor.url, '/other')).toMatchObject({ status: 404 })
  } finally {
    await monitor.stop()
  }
})

test('a check that throws or hangs is a reason, not an error', async () => {
  const { status, body } = await readiness({
    throws: () => {
      throw new Error('broken')
    },
    hangs: () => new Promise(() => {}),
  })
  expect(status).toBe(503)
  expect(body).toMatchObject({ checks: { throws: 'broken', hangs: expect.stringContaining('no answer within') } })
})

test('the metrics name the process and what it uses, and keep what is recorded', async () => {
  const monitor = await openMonitor({ ...options, port: 0 })
  try {
    monitor.meter?.counter('tally_test_total', 'Test', ['kind'])(3, { kind: 'x' })
    const { text } = await ask(monitor.url, '/metrics')
    expect(text).toContain('tally_service_info{service="payment",replica="payment@test:1"} 1')
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    expect(text).toContain('tally_test_total{kind="x"} 3')
  } finally {
    await monitor.stop()
  }
})

test('a port that is taken ends the start with the name of the setting', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as AddressInfo
  await expect(openMonitor({ ...options, port })).rejects.toThrow(`TALLY_MONITOR_PORT ${port} cannot be used`)
  server.close()
})

test('what is not reported any more has no value: a lane that moved must not be shown twice', async () => {
  const monitor = await openMonitor({ ...options, port: 0 })
  try {
    let lanes = [0, 1]
    const stop = monitor.meter?.observe({ tally_test: ['Test', 'lane'], tally_test_seen_total: ['Test'] }, (report) => {
      for (const lane of lanes) report('tally_test', lane, { lane })
      report('tally_test_seen_total', 7)
    })
    expect((await ask(monitor.url, '/metrics')).text).toMatch(/tally_test\{lane="0"\} 0\ntally_test\{lane="1"\} 1\n/)
    lanes = [1]
    const { text } = await ask(monitor.url, '/metrics')
    expect(text).not.toContain('lane="0"')
    expect(text).toContain('tally_test_seen_total 7\n')
    stop?.()
    expect((await ask(monitor.url, '/metrics')).text).not.toContain('tally_test')
  } finally {
    await monitor.stop()
  }
})
