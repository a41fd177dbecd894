import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { openPlantedPipeline, order } from '../testing/leaks/planted-pipeline.ts'
import type { PlantedPipeline } from '../testing/leaks/planted-pipeline.ts'
import { succeeded } from '../testing/test-stack.ts'

interface ExportedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly links?: readonly { readonly spanId: string }[]
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[]
}

let pipeline: PlantedPipeline
beforeAll(async () => {
  pipeline = await openPlantedPipeline(31_300)
})
afterAll(async () => pipeline?.[Symbol.asyncDispose]())

const spansNow = (): ExportedSpan[] =>
  pipeline.collector.bodies
    .flatMap(
      (body) =>
        (JSON.parse(body) as { resourceSpans?: { scopeSpans: { spans: ExportedSpan[] }[] }[] }).resourceSpans ?? [],
    )
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
const valueOf = (span: ExportedSpan, name: string) => span.attributes.find(({ key }) => key === name)?.value.stringValue

test('an order has one trace by OTLP across a retry of a parked input and two replays, and the command shows both', async () => {
  const { stack, ask } = pipeline
  const { pool, namespace } = stack.sandbox
  const shipping = schemaName(namespace, 'shipping')
  succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
  await pool.query(`create function ${shipping}.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'refused' using errcode = '23514'; end $$`)
  await pool.query(
    `create trigger refuse before insert on ${shipping}.shipment for each row execute function ${shipping}.refuse()`,
  )
  const { orderId } = (await (await ask('/orders', order())).json()) as { orderId: string }
  const parked = async () =>
    (await pool.query(`select from ${shipping}.parked where key = $1`, [orderId])).rowCount ?? 0
  await waitUntil('it is parked', async () => (await parked()) > 0, { withinMs: 120_000 })
  await pool.query(`drop trigger refuse on ${shipping}.shipment`)
  succeeded(await stack.run('parked', 'redrive', '--group', 'shipping', '--key', orderId, '--why', 'mended', '--yes'))
  await waitUntil(
    'it is completed',
    async () => ((await (await ask(`/orders/${orderId}`)).json()) as { status: string }).status === 'completed',
    { withinMs: 120_000 },
  )
  for (const [mode, group] of [
    ['rebuild', 'order-status'],
    ['reprocess', 'notifications'],
  ] as const) {
    const plan = stack.sandbox.config.dataDir + `/${mode}.json`
    succeeded(await stack.run('replay', 'plan', '--mode', mode, '--group', group, '--from', 'earliest', '--out', plan))
    succeeded(await stack.run('replay', 'run', plan, '--why', 'a test', '--yes'))
  }

  const ofOrder = () => spansNow().filter((span) => valueOf(span, 'tally.order.id') === orderId)
  const expected = [
    'POST /orders',
    'publish orders',
    'process OrderPlaced',
    'call authorize',
    'process answer authorize',
  ]
  const named = (name: string) => ofOrder().filter((span) => span.name === name)
  // Of the order's events, the first one that shipping read was refused: which, is not fixed
  const outcomes = () =>
    ofOrder()
      .filter(({ name }) => name.startsWith('process '))
      .map((span) => `${valueOf(span, 'tally.source')} ${valueOf(span, 'tally.outcome')}`)
  /** Spans whose parent, or what they link to, was not exported. */
  const lost = () => {
    const known = new Set(spansNow().map(({ spanId }) => spanId))
    return ofOrder().filter(
      ({ parentSpanId = '', links = [] }) =>
        (parentSpanId !== '' && !known.has(parentSpanId)) || !links.every(({ spanId }) => known.has(spanId)),
    )
  }
  const missing = () => [
    ...[...expected, 'rebuild OrderPlaced', 'reprocess OrderPlaced'].filter((name) => named(name).length === 0),
    ...['record parked', 'parked taken'].filter((outcome) => !outcomes().includes(outcome)),
    ...lost().map(({ name }) => `what ${name} follows from`),
  ]
  await waitUntil('all is exported', () => missing().length === 0, { withinMs: 120_000, everyMs: 500 }).catch(() => {}) // Told below
  expect(missing()).toEqual([])
  expect(new Set(ofOrder().map(({ traceId }) => traceId)).size).toBe(1)

  const shown = succeeded(await stack.run('trace', orderId))
  expect(shown).toMatch(/was folded again by replay \d+ of \S+ begun at/)
  expect(shown).toMatch(/was reprocessed by replay \d+ of \S+ begun at/)
  expect(shown).toMatch(/was parked, then HANDLED by/)
})
