import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { generateEvents } from '../../producers/sample-data/event-generator.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { fromHeaders } from '../../schemas/envelope.ts'
import { registerSchemas } from '../../schemas/registry/registry.ts'

let sandbox: Sandbox
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tally-produce-'))
  sandbox = createSandbox()
  const { config, namespace, log } = sandbox
  await sandbox.createTopics(3)
  await registerSchemas({ registryUrl: config.registry.url, namespace, readersOf: () => [], log })
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await sandbox.close()
})

async function produce(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const child = spawn(process.execPath, ['scripts/produce.ts', ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: { ...sandbox.env, ...env },
  })
  child.stdin.on('error', () => {}) // It may end before it has read everything
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}

const idsOn = async (topic: string) =>
  (await readTopic(sandbox.kafka, `${sandbox.namespace}${topic}`)).map(({ headers }) => String(fromHeaders(headers).id))

const lines = (...values: unknown[]) =>
  values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('')
const deliveries = (seed: number) => [...generateEvents('StockReplenished', { count: 4, seed })]
const cancellations = (seed: number) => [...generateEvents('CancellationRequested', { count: 4, seed })]

test('the same seed produces the same readable events, with their envelope', async () => {
  const args = ['PaymentCaptured', '--forge', '--count', '500', '--seed', '42', '--json']
  for (const run of [await produce(args), await produce(args)]) {
    expect(run).toMatchObject({ exitCode: 0, stdout: '{"sent":500,"badLines":0,"refused":0,"seed":42}\n' })
  }
  const records = await readTopic(sandbox.kafka, `${sandbox.namespace}payments`)
  const ids = records.map(({ headers }) => String(fromHeaders(headers).id))
  const expected = [...generateEvents('PaymentCaptured', { count: 500, seed: 42 })]
  expect(ids.toSorted()).toEqual(expected.flatMap(({ id }) => [id, id]).toSorted())

  const { config, namespace } = sandbox
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, types: [] })
  await codec.learn(new Set(records.map(({ value }) => codec.schemaIdOf(value) ?? 0)))
  const byId = new Map(expected.map((event) => [event.id, event.data]))
  for (const { headers, value } of records) {
    expect({ ...codec.decode(value).data }).toEqual(byId.get(String(fromHeaders(headers).id)))
  }
})

test('generates events of services only with --forge', async () => {
  const refused = await produce(['PaymentCaptured'])
  expect(refused.exitCode).toBe(2)
  expect(refused.stderr).toContain('only payment may write PaymentCaptured')
  expect((await produce(['PaymentCaptured', '--forge'])).exitCode).toBe(0)
})

test('keeps the requested rate', async () => {
  const startedAt = performance.now()
  const { exitCode } = await produce(['StockReserved', '--forge', '--count', '100', '--rate', '100'])
  expect(exitCode).toBe(0)
  expect(performance.now() - startedAt).toBeGreaterThan(990)
})

describe('events from a file', () => {
  test('are sent as written', async () => {
    const path = join(folder, 'good.ndjson')
    const [first, ...rest] = deliveries(1)
    writeFileSync(path, lines(first, '', ...rest))
    expect(await produce(['--file', path])).toMatchObject({ exitCode: 0 })
    expect((await idsOn('stock')).toSorted()).toEqual(
      deliveries(1)
        .map(({ id }) => id)
        .toSorted(),
    )
  })

  test('are not sent if a line is bad, unless bad lines are skipped', async () => {
    const path = join(folder, 'bad.ndjson')
    const [first, second, ...rest] = deliveries(2)
    writeFileSync(path, lines(first, { ...second, data: { ...second?.data, quantity: -1 } }, ...rest))
    const before = await idsOn('stock')
    const refused = await produce(['--file', path])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('line 2: data.quantity is -1')
    expect(refused.stderr).toContain('Nothing was sent: 1 bad line')
    expect(await idsOn('stock')).toHaveLength(before.length)

    const skipped = await produce(['--file', path, '--skip-bad', '--json'])
    expect(skipped.exitCode).toBe(0)
    expect(JSON.parse(skipped.stdout)).toMatchObject({ sent: 3, badLines: 1 })
    expect(await idsOn('stock')).toHaveLength(before.length + 3)
  })
})

describe('events without an id, or of a service', () => {
  test('count once, however often they are sent', async () => {
    const path = join(folder, 'bare.ndjson')
    writeFileSync(path, `\ufeff${lines(...deliveries(4).map(({ type, data }) => ({ type, data })))}`)
    const before = await idsOn('stock')
    for (const _ of [1, 2]) expect(await produce(['--file', path])).toMatchObject({ exitCode: 0 })
    const added = (await idsOn('stock')).filter((id) => !before.includes(id))
    expect(added).toHaveLength(8)
    expect(new Set(added).size).toBe(4)
  })

  test('are sent from a file only with --forge if a service writes them', async () => {
    const path = join(folder, 'forged.ndjson')
    writeFileSync(path, lines(...generateEvents('PaymentCaptured', { count: 1, seed: 9 })))
    const refused = await produce(['--file', path])
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('line 1: only payment may write PaymentCaptured')
    expect((await produce(['--file', path, '--forge'])).exitCode).toBe(0)
  })

  test('of a service count once, too, if the file is sent twice', async () => {
    const path = join(folder, 'forged-bare.ndjson')
    const bare = [...generateEvents('ShipmentScheduled', { count: 2, seed: 9 })].map(({ type, data }) => ({
      type,
      data,
    }))
    writeFileSync(path, lines(...bare))
    const before = await idsOn('shipping')
    expect(await produce(['--file', path])).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await idsOn('shipping')).toEqual(before)
    for (const _ of [1, 2]) expect(await produce(['--file', path, '--forge'])).toMatchObject({ exitCode: 0 })
    const added = (await idsOn('shipping')).filter((id) => !before.includes(id))
    expect(added).toHaveLength(4)
    expect(new Set(added).size).toBe(2)
  })
})

describe('events from standard input', () => {
  test('are sent up to the first bad line', async () => {
    const before = await idsOn('orders')
    const [one, two, three] = cancellations(3).map(({ data }) => data)
    const run = await produce(['CancellationRequested', '-', '--json'], { input: lines(one, two, 'oops', three) })
    expect(run.exitCode).toBe(1)
    expect(JSON.parse(run.stdout)).toMatchObject({ sent: 2, badLines: 1 })
    expect(run.stderr).toContain('line 3: not a JSON object')
    expect(await idsOn('orders')).toHaveLength(before.length + 2)
  })

  test('can be the output of a dry run', async () => {
    const { stdout } = await produce(['CancellationRequested', '--count', '3', '--seed', '8', '--dry-run'])
    const before = new Set(await idsOn('orders'))
    expect(await produce(['-'], { input: stdout })).toMatchObject({ exitCode: 0 })
    const added = (await idsOn('orders')).filter((id) => !before.has(id))
    const expected = [...generateEvents('CancellationRequested', { count: 3, seed: 8 })]
    expect(added.toSorted()).toEqual(expected.map(({ id }) => id).toSorted())
  })
})

test.each([
  [['OrderPlacd'], {}, 2, 'Did you mean OrderPlaced?'],
  [[], {}, 2, 'name an event type'],
  [['OrderPlaced', '--count', 'many'], {}, 2, 'not a whole number'],
  [['--file', 'x', '--count', '3'], {}, 2, '--count and --key'],
  [['StockReplenished', '--via', 'api'], {}, 2, 'accepts OrderPlaced only'],
  [['--file', '/nowhere/events.ndjson'], {}, 2, 'Cannot read /nowhere/events.ndjson: there is no such file'],
  [
    ['OrderPlaced', '--via', 'api'],
    { TALLY_API_PORT: '27999' },
    1,
    'The orders API does not answer at 127.0.0.1:27999:',
  ],
  [['OrderPlaced'], { TALLY_KAFKA_BROKERS: '127.0.0.1:27999' }, 1, 'Kafka does not answer at 127.0.0.1:27999:'],
  [
    ['OrderPlaced'],
    { TALLY_REGISTRY_URL: 'http://127.0.0.1:27999' },
    1,
    'The schema registry does not answer at 127.0.0.1:27999:',
  ],
  [['OrderPlaced'], { TALLY_NAMESPACE: 'nobody_' }, 1, 'nobody_orders'],
  [['OrderPlaced'], { TALLY_PARTITIONS: 'few' }, 2, 'TALLY_PARTITIONS'],
])('%j with %j ends with code %i and says: %s', async (args, env, code, sentence) => {
  const { exitCode, stdout, stderr } = await produce(args, { env })
  expect(stderr).toContain(sentence)
  expect(stderr).not.toContain('    at ') // No stack trace
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
})
