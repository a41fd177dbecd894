import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { orderPlaced } from '../../../consumers/runtime/testing/tally-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { succeeded } from '../test-stack.ts'
import { startImpostor } from './outside-world.ts'
import { openPlantedPipeline, order, partitions } from './planted-pipeline.ts'
import type { PlantedPipeline } from './planted-pipeline.ts'
import { address, leaksIn, personal, secrets } from './planted.ts'
import { watchProcess } from './watched-process.ts'

/** Gateway and carrier repeat in their errors whatever they were told, and every service logs all it can. */
describe('no secret and nothing personal is in a log, a metric, a trace or the text of an error', () => {
  let planted: PlantedPipeline
  beforeAll(async () => void (planted = await openPlantedPipeline(31_200)))
  afterAll(async () => planted?.[Symbol.asyncDispose]())

  /** Places an order like any other. @returns its id */
  const place = async (): Promise<string> => {
    const response = await planted.ask('/orders', order())
    expect(response.status).toBe(201)
    return ((await response.json()) as { orderId: string }).orderId
  }
  const statusOf = async (id: string) =>
    ((await (await planted.ask(`/orders/${id}`)).json()) as { status: string }).status
  const has = async (id: string, status: string) =>
    waitUntil(`${id} is ${status}`, async () => (await statusOf(id)) === status, { withinMs: 120_000 })
  const saysLately = (name: string, what: RegExp) =>
    waitUntil(`${name} says ${what}`, () => what.test(planted.running.get(name)?.said() ?? ''), { withinMs: 120_000 })

  test('orders that end well, declined, refused and cancelled; requests that are refused', async () => {
    succeeded(await planted.stack.run('produce', 'StockReplenished', '--count', '200'))
    await has(await place(), 'completed')
    planted.world.mood = 'refuses'
    await has(await place(), 'rejected')
    planted.world.mood = 'accepts'
    const cancelled = await place()
    await planted.ask(`/orders/${cancelled}/cancellation`, { reason: personal.reason })
    await waitUntil('it has ended', async () => /completed|cancelled/.test(await statusOf(cancelled)))

    await planted.ask('/orders', { ...order(), paymentMethod: personal.cardNumber })
    await planted.ask('/orders', { ...order(), surname: personal.recipient })
    await planted.ask('/orders', { ...order(), shipTo: { ...address(), country: personal.recipient.repeat(90) } })
    await planted.ask('/orders', JSON.stringify(order()).slice(0, -20)) // Not JSON
    await planted.ask('/orders', `"${personal.recipient}`)
    await planted.ask(`/orders/${cancelled}`, undefined, { authorization: `Bearer ${planted.token}x` })
    await planted.ask(`/orders/${cancelled}`, undefined, { authorization: `Basic ${secrets.wrongPassword}` })
    await planted.ask(`/nowhere?token=${planted.token}&name=${encodeURIComponent(personal.recipient)}`)
    const key = { 'idempotency-key': 'k-1' }
    await planted.ask('/orders', order(), key)
    await planted.ask('/orders', { ...order(), customerId: 'c-2' }, key)
    expect([...planted.told.keys()]).toEqual(
      expect.arrayContaining(['answer 400', 'answer 401', 'answer 404', 'answer 409']),
    )
  })

  test('records that nobody can read, and a database that refuses', async () => {
    const { kafka, namespace, pool } = planted.stack.sandbox
    const { registry } = planted.stack.config
    const codec = await createCodec({ registryUrl: registry.url, namespace, log: planted.stack.sandbox.log })
    const orderId = newEventId()
    const { data } = orderPlaced(orderId)
    const encoded = codec.encode('OrderPlaced', {
      ...{ ...data, paymentMethod: personal.paymentMethod },
      shipTo: { ...address(), country: 'UK' },
    } as never)
    const headers = toHeaders({
      ...{ id: newEventId(), type: 'OrderPlaced', source: '/leaks', time: Date.now() },
      ...{ subject: orderId, correlationId: orderId },
    })
    const producer = kafka.producer()
    await producer.connect()
    const send = (key: string, value: Buffer | string, more = {}, partition = laneOf(key, partitions)) =>
      producer.send({
        topic: `${namespace}orders`,
        messages: [{ key, value, partition, headers: { ...headers, ...more } }],
      })
    await send('o-text', JSON.stringify(order()))
    await send(orderId, Buffer.from(encoded.toString('latin1').replace('EUR', 'eur'), 'latin1'))
    await send('o-torn', encoded.subarray(0, encoded.length - 9))
    await send('o-time', encoded, { ce_time: personal.street })
    await send('o-type', encoded, { ce_type: personal.city })
    await send('o-lane', encoded, {}, 1 - laneOf('o-lane', partitions))
    await producer.disconnect()
    const status = schemaName(namespace, 'order-status')
    await waitUntil(
      'they are parked',
      async () => ((await pool.query(`select from ${status}.parked`)).rowCount ?? 0) >= 5,
    )

    // The trigger repeats the row in its message, and PostgreSQL adds it as detail
    const shipping = schemaName(namespace, 'shipping')
    await pool.query(`create function ${shipping}.refuse() returns trigger language plpgsql as
      $$ begin raise exception 'refused' using detail = new::text, errcode = '23514'; end $$`)
    await pool.query(
      `create trigger refuse before insert on ${shipping}.shipment for each row execute function ${shipping}.refuse()`,
    )
    await place()
    await waitUntil(
      'it is parked',
      async () =>
        ((await pool.query(`select from ${shipping}.parked where reason <> 'UNREADABLE' and error like '%refused%'`))
          .rowCount ?? 0) > 0,
    )
    await pool.query(`drop trigger refuse on ${shipping}.shipment`)
    for (const args of [['ls'], ['log'], ['redrive', '--group', 'shipping', '--all', '--why', 'mended', '--yes']])
      planted.note('parked', (await planted.stack.run('parked', ...args)).stderr)
  })

  test('files with bad lines', async () => {
    const { cardNumber, recipient, street, city, postalCode } = personal
    const delivery = { sku: 'tea', quantity: recipient, replenishedAt: cardNumber }
    const { data } = orderPlaced(newEventId())
    const events = [
      delivery,
      { ...data, shipTo: [address()] },
      { ...data, lines: address(), currency: city },
      recipient,
    ]
    const lines = events.map((each) => JSON.stringify({ type: 'OrderPlaced', data: each }))
    planted.note(
      'bad events',
      (await planted.stack.run('produce', '--file', planted.file('bad.jsonl', [...lines, recipient].join('\n'))))
        .stderr,
    )
    const header =
      'OrderID,CustomerID,ProductID,UnitPrice,Quantity,OrderDate,ShipName,ShipAddress,ShipCity,ShipPostalCode'
    const row = (number: string, name: string) => [
      number,
      'c-1',
      'tea',
      '4.50',
      '1',
      '2026-01-01',
      name,
      street,
      city,
      postalCode,
    ]
    const rows = [
      row('1', recipient),
      row('1', 'X'),
      row('2', recipient).toSpliced(3, 1),
      row('3', recipient).with(4, ''),
    ]
    const table = planted.file('bad.csv', [header, ...rows.map(String)].join('\n'))
    const imported = await planted.stack.run('import', '--orders', table, '--offset', 'Z')
    expect(imported.exitCode).toBe(1)
    planted.note('bad orders', imported.stdout + imported.stderr)
  })

  test('a gateway and a carrier that fail, talk nonsense and deny access', async () => {
    for (const mood of ['breaks', 'babbles'] as const) {
      planted.world.mood = mood
      await place()
      await saysLately('payment', mood === 'breaks' ? /answered 500/ : /answered 201 with a body/)
    }
    planted.world.mood = 'accepts'
    await has(await place(), 'completed')
    planted.world.mood = 'denies'
    await place()
    await saysLately('payment', /refuses access \(401\)/)
    expect(JSON.stringify(planted.world.asked)).toContain(secrets.gatewayToken) // The plants were at work
    expect(JSON.stringify(planted.world.asked)).toContain(personal.recipient)
  })

  test('servers that are away, deny access or show the wrong certificate', async () => {
    const { env } = planted.stack.sandbox
    const command = async (what: string, changed: NodeJS.ProcessEnv, ...args: [string, ...string[]]) => {
      const before = { ...env }
      Object.assign(env, changed)
      const { exitCode, stderr, stdout } = await planted.stack.run(...args)
      for (const name of Object.keys(changed)) env[name] = before[name]
      expect([what, args, exitCode]).toEqual([what, args, expect.any(Number)])
      planted.note(what, `${stderr}\n${stdout}`)
    }
    const withPassword = (name: string) => {
      const url = new URL(env[name] ?? '')
      url.password = secrets.wrongPassword
      return { [name]: url.href }
    }
    await command('database password', withPassword('TALLY_DATABASE_URL'), 'lanes', 'ls')
    await command('database password', withPassword('TALLY_DATABASE_URL'), 'doctor')
    const wrong = await watchProcess(
      { ...env, ...withPassword('TALLY_DATABASE_URL') },
      ['consumers/main.ts', 'payment'],
      'ended',
    )
    planted.note('start with a wrong password', wrong.said())
    planted.registry.inject({ kind: 'http-error', status: 401 })
    await command('registry 401', {}, 'doctor')
    const denied = await watchProcess(env, ['consumers/main.ts', 'payment'], 'ended')
    planted.note('start without access to the registry', denied.said())
    planted.registry.inject({ kind: 'cut' })
    await command('registry down', {}, 'doctor')
    await command('registry down', {}, 'deploy')
    planted.registry.heal()

    await using impostor = await startImpostor()
    const { port } = impostor
    const kafka = {
      TALLY_KAFKA_BROKERS: `127.0.0.1:${port}`,
      TALLY_KAFKA_SECURITY: 'SASL_SSL',
      TALLY_KAFKA_USER: 'tally',
      TALLY_KAFKA_PASSWORD: secrets.kafkaPassword,
    }
    await command('Kafka certificate', kafka, 'doctor')
    await command('Kafka certificate', kafka, 'produce', 'OrderPlaced', '--count', '1')
    const https = `https://tally:${encodeURIComponent(secrets.registryPassword)}@127.0.0.1:${port}`
    await command('registry certificate', { TALLY_REGISTRY_URL: https }, 'doctor')
    await command('no broker', { TALLY_KAFKA_BROKERS: `tally:${secrets.kafkaPassword}@127.0.0.1:9` }, 'doctor')
    await command('no URL', { TALLY_DATABASE_URL: `postgres//tally:${secrets.databasePassword}@` }, 'doctor')

    planted.database.inject({ kind: 'reset' })
    const refused = await planted.ask('/orders', order())
    expect(refused.status).toBe(503)
    await saysLately('shipping', /ECONN|does not answer|terminated/)
    await command('database down', {}, 'verify')
    planted.database.heal()
    await waitUntil('orders are taken again', async () => (await planted.ask('/orders', order())).status === 201)
  })

  test('finds none of them', async () => {
    for (const { name, monitor, said } of planted.running.values()) {
      planted.note(`log of ${name}`, said())
      for (const path of ['/metrics', '/ready', '/live'])
        planted.note(`metrics of ${name}`, await (await fetch(`${monitor}${path}`)).text())
    }
    for (const each of planted.running.values()) {
      await each[Symbol.asyncDispose]()
      planted.note(`log of ${each.name}`, each.said()) // What it said while it ended
    }
    expect(planted.collector.bodies.filter((body) => body.includes('process OrderPlaced')).length).toBeGreaterThan(0)
    expect(planted.collector.bodies.filter((body) => body.includes('tally_inputs_total')).length).toBeGreaterThan(0)
    expect(planted.collector.headers.every((headers) => headers['api-key'] === secrets.collectorToken)).toBe(true)
    planted.note('traces and metrics by OTLP', planted.collector.bodies.join('\n'))
    const privateKey = readFileSync(planted.keyFile, 'utf8').split('\n')[1] ?? ''
    expect([...planted.told].filter(([, text]) => text.trim() === '').map(([what]) => what)).toEqual([])
    const found = [...planted.told].flatMap(([what, text]) =>
      leaksIn(text, { ...secrets, ...personal, token: planted.token, privateKey }).map((leak) => `${what}: ${leak}`),
    )
    expect(found).toEqual([])
  })
})
