import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterEach, expect, test } from '@jest/globals'
import { lastMs, newSpanId, newTraceId, openTracer } from './tracer.ts'

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] }
    readonly scopeSpans: readonly { readonly spans: readonly Record<string, unknown>[] }[]
  }[]
}

afterEach(() => {
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
})

test('spans reach a collector as OTLP, with their ids, parents, links and times', async () => {
  const received: { path: string | undefined; body: Exported }[] = []
  const collector = createServer((request, response) => {
    void json(request).then((body) => {
      received.push({ path: request.url, body: body as Exported })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await new Promise((listening) => collector.once('listening', listening))
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const { tracer, stop } = await openTracer('payment', 'payment@test:1')
  const own = { traceId: newTraceId(), spanId: newSpanId() }
  const linked = { traceId: newTraceId(), spanId: newSpanId() }
  tracer.record({
    ...{ ...own, name: 'process OrderPlaced', kind: 'consumer', parentSpanId: '0123456789abcdef', links: [linked] },
    ...{ startMs: 1_700_000_000_123.5, endMs: 1_700_000_000_200, attributes: { 'tally.order.id': 'x' } },
    error: 'parked',
  })
  await stop()
  collector.close()
  expect(received.map(({ path }) => path)).toEqual(['/v1/traces'])
  const [{ resource, scopeSpans }] = received[0]!.body.resourceSpans as [Exported['resourceSpans'][0]]
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'payment' } })
  expect(scopeSpans[0]?.spans).toMatchObject([
    {
      ...{ ...own, parentSpanId: '0123456789abcdef', name: 'process OrderPlaced', kind: 5 },
      ...{ startTimeUnixNano: '1700000000123500000', endTimeUnixNano: '1700000000200000000' },
      ...{ links: [linked], status: { code: 2, message: 'parked' } },
    },
  ])
})

test('a collector that is gone delays nothing and throws nothing', async () => {
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'http://127.0.0.1:1'
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '500'
  const { tracer, stop } = await openTracer('payment', 'payment@test:1')
  tracer.record({ traceId: newTraceId(), spanId: newSpanId(), name: 'x', kind: 'internal', ...lastMs(5) })
  await stop()
  delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT']
})
