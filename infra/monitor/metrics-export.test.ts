import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, expect, test } from '@jest/globals'
import { openMonitor } from './monitor.ts'

interface Point {
  readonly attributes: readonly { key: string; value: { stringValue?: string } }[]
  readonly [value: string]: unknown
}

interface Exported {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] }
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string
        readonly unit: string
        readonly sum?: { dataPoints: readonly Point[]; isMonotonic: boolean; aggregationTemporality: number }
        readonly gauge?: { dataPoints: readonly Point[] }
        readonly histogram?: { dataPoints: readonly Point[]; aggregationTemporality: number }
      }[]
    }[]
  }[]
}

const endpoint = 'OTEL_EXPORTER_OTLP_ENDPOINT'
afterEach(() => {
  delete process.env[endpoint]
  delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT']
})

/** An OpenTelemetry collector that keeps what it receives. */
async function openCollector() {
  const received: { path: string | undefined; body: Exported }[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      received.push({ path: request.url, body: body as Exported })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env[endpoint] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { received, [Symbol.dispose]: () => void server.close() }
}

const options = { service: 'payment', replica: 'payment@test:1', host: '127.0.0.1' }

test('metrics reach a collector as OTLP under the names and with the values that Prometheus reads', async () => {
  using collector = await openCollector()
  const monitor = await openMonitor({ ...options, port: 0, otlpMetrics: true })
  monitor.meter?.counter('tally_things_total', 'Things', ['kind'])(3, { kind: 'x' })
  monitor.meter?.observe({ tally_level_bytes: ['Level'] }, (report) => report('tally_level_bytes', 7))
  const record = monitor.meter?.histogram('tally_wait_seconds', 'Wait', [1, 2, 5], ['kind'])
  for (const seconds of [0.5, 1.5, 1.5, 9]) record?.(seconds, { kind: 'x' })
  record?.(4, { kind: 'y' })
  const scraped = await (await fetch(`${monitor.url}/metrics`)).text()
  await monitor.stop()

  expect(collector.received.map(({ path }) => path)).toEqual(['/v1/metrics'])
  const [{ resource, scopeMetrics }] = collector.received[0]!.body.resourceMetrics as [Exported['resourceMetrics'][0]]
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'payment' } })
  const metrics = scopeMetrics.flatMap((scope) => scope.metrics)
  const typed = [...scraped.matchAll(/^# TYPE (\w+) (\w+)/gm)].map(([, name = '']) => name)
  expect(metrics.map(({ name }) => name).toSorted()).toEqual(typed.toSorted())
  const named = (name: string) => metrics.find((metric) => metric.name === name)
  const kind = (value: string) => [{ key: 'kind', value: { stringValue: value } }]
  expect(named('tally_things_total')?.sum).toMatchObject({
    ...{ isMonotonic: true, aggregationTemporality: 2 },
    dataPoints: [{ attributes: kind('x'), asDouble: 3 }],
  })
  expect(named('tally_level_bytes')).toMatchObject({ unit: 'By', gauge: { dataPoints: [{ asDouble: 7 }] } })
  expect(named('tally_wait_seconds')).toMatchObject({
    unit: 's',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        { attributes: kind('x'), explicitBounds: [1, 2, 5], bucketCounts: [1, 2, 0, 1], count: 4, sum: 12.5 },
        { attributes: kind('y'), explicitBounds: [1, 2, 5], bucketCounts: [0, 0, 1, 0], count: 1, sum: 4 },
      ],
    },
  })
})

test('a collector that is gone delays the end only a little and throws nothing', async () => {
  process.env[endpoint] = 'http://127.0.0.1:1'
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '500'
  const monitor = await openMonitor({ ...options, port: 0, otlpMetrics: true })
  expect(monitor.meter).toBeDefined()
  await monitor.stop()
})

test('nothing is exported unless it is asked for', async () => {
  using collector = await openCollector()
  const monitor = await openMonitor({ ...options, port: 0 })
  await monitor.stop()
  expect(collector.received).toEqual([])
})
