import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { identify } from '../../infra/stack/supervisor/process-identity.ts'
import { startBrokers } from '../../infra/testing/brokers/start-brokers.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { openForOperator, readHealth } from '../../consumers/operations/lanes/read-health.ts'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { orderPlaced } from '../../consumers/runtime/testing/tally-consumer.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { deployPipeline } from '../bench/api/deploy-pipeline.ts'
import { startService } from '../bench/start-service.ts'
import { replicasCutOff } from './probe-stack.ts'

const group = 'payment'
const stallMs = 8_000
const monitorPort = 26_590

const ready = async () => {
  const response = await fetch(`http://127.0.0.1:${monitorPort}/ready`)
  return { status: response.status, body: await response.json() }
}

test('a replica started by hand says that it cannot heartbeat, and survives a stall of the only broker', async () => {
  await using stack = new AsyncDisposableStack()
  const brokers = stack.use(await startBrokers(26_500, 1))
  const sandbox = stack.use(
    createSandbox({
      TALLY_KAFKA_BROKERS: brokers.addresses.join(),
      TALLY_PARTITIONS: '3',
      TALLY_LOG_LEVEL: 'error',
      TALLY_MONITOR_PORT: String(monitorPort),
    }),
  )
  const { config, kafka, namespace, log, pool } = sandbox
  await deployPipeline(sandbox)
  // No supervisor would start it again: it has to survive
  const replica = stack.use(await startService({ sandbox }, 'consumers/main.ts', { args: [group] }))
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
  const operator = openForOperator(config)
  stack.defer(() => operator.end())
  const schema = schemaName(namespace, group)
  let published = 0
  const taken = async () =>
    (await pool.query<{ taken: number }>(`select coalesce(sum(taken), 0)::int as taken from ${schema}.ledger`)).rows[0]
      ?.taken
  const process30 = async () => {
    const publisher = await Publisher.connect({ kafka, namespace, codec })
    await publisher.publish(Array.from({ length: 30 }, () => ({ ...orderPlaced(newEventId()), id: newEventId() })))
    await publisher.stop()
    published += 30
    await waitUntil('the replica has processed them', async () => (await taken()) === published)
  }
  const lanesLs = async (...args: string[]) =>
    (
      await promisify(execFile)(process.execPath, ['scripts/lanes.ts', 'ls', group, ...args], {
        env: { ...sandbox.env, FORCE_COLOR: undefined },
      })
    ).stdout

  await process30()
  await waitUntil('it is ready', async () => (await ready()).status === 200)
  const began = performance.now()
  const thaw = brokers.freeze(1)
  await waitUntil('the lanes wait for heartbeats', async () =>
    (await readHealth(config, operator, [group])).groups[0]?.lanes.every(({ condition }) => condition === 'waiting'),
  )
  expect(await ready()).toMatchObject({
    status: 503,
    body: { checks: { heartbeat: 'Kafka answers no heartbeat', commit: 'ok' } },
  })
  expect(await lanesLs()).toMatch(/payment 0-2 +waiting for \S+.*: Kafka answers no heartbeat/)
  const { consumers } = JSON.parse(await lanesLs('--json')) as { consumers: { lanes: object[] }[] }
  expect(consumers[0]?.lanes).toHaveLength(3)
  for (const lane of consumers[0]?.lanes ?? [])
    expect(lane).toMatchObject({ condition: 'waiting', reason: 'Kafka answers no heartbeat' })
  // What `npm run stack -- status` calls not ready, under the name of its process
  const own = { name: 'payment-2', identity: identify(replica.pid) } as never
  const cutOff = new Map(replicasCutOff({ processes: [own] }, await readHealth(config, operator)))
  expect(cutOff.get('payment-2')).toMatch(/^payment@\S+ cannot heartbeat: Kafka does not answer$/)
  await waitUntil('the stall has lasted long enough', () => performance.now() - began > stallMs)
  thaw()

  await process30()
  await waitUntil('the lanes are live again, with the same process', async () => {
    const { groups } = await readHealth(config, operator, [group])
    return groups[0]?.lanes.every(({ condition, owner }) => condition === 'live' && owner?.endsWith(`:${replica.pid}`))
  })
  await waitUntil('it is ready again', async () => (await ready()).status === 200)
  expect(replicasCutOff({ processes: [] }, await readHealth(config, operator))).toEqual([])
  const { rows } = await pool.query(`select distinct owner from ${schema}.lane`)
  expect(rows).toHaveLength(1)
})
