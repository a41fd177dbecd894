import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { hostileSettings, operatorsSettings } from '../../infra/testing/hostile-settings.ts'
import { stripStartUp } from '../../infra/testing/start-up-stripper.ts'
import type { StartUpStripper } from '../../infra/testing/start-up-stripper.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { laneOf } from '../../schemas/partition.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { createTestStack, succeeded } from './test-stack.ts'
import type { TestStack } from './test-stack.ts'

/** A whole stack on a database whose defaults, role, URL and pooler all contradict what the code relies on. */
describe('a database with other defaults, behind a pooler that ignores start-up options', () => {
  let owner: Sandbox
  let pooler: StartUpStripper
  let stack: TestStack
  beforeAll(async () => {
    owner = createSandbox()
    const database = `${owner.namespace}hostile`
    const { pool, config } = owner
    await pool.query(`create database "${database}"`)
    for (const [name, value] of Object.entries({ ...hostileSettings, ...operatorsSettings }))
      await pool.query(`alter database "${database}" set ${name} = ${name === 'search_path' ? value : `'${value}'`}`)
    const role = new URL(config.postgres.url).username
    await pool.query(`alter role "${role}" in database "${database}" set datestyle = 'German'`)
    await pool.query(`alter role "${role}" in database "${database}" set statement_timeout = '10ms'`)
    pooler = await stripStartUp(new URL(config.postgres.url))
    const url = new URL(config.postgres.url)
    Object.assign(url, { hostname: '127.0.0.1', port: String(pooler.port), pathname: `/${database}` })
    url.searchParams.set('options', '-c search_path=pg_catalog -c datestyle=SQL,DMY')
    stack = await createTestStack(30_800, {
      TALLY_PARTITIONS: '2',
      TALLY_LOG_LEVEL: 'fatal',
      TALLY_DATABASE_URL: url.href,
    })
    await stack.start()
  })
  afterAll(async () => {
    await stack?.close()
    await pooler?.[Symbol.asyncDispose]()
    await owner?.pool.query(`drop database if exists "${owner.namespace}hostile" with (force)`)
    await owner?.close()
  })

  test('orders complete, and every command for operators works', async () => {
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
    succeeded(await stack.run('produce', 'OrderPlaced', '--count', '20', '--seed', '5'))
    const producer = stack.sandbox.kafka.producer()
    await producer.connect()
    const messages = [{ key: 'o-1', value: 'not Avro', partition: laneOf('o-1', 2) }]
    await producer.send({ topic: `${stack.sandbox.namespace}orders`, messages })
    await producer.disconnect()
    const status = `"${schemaName(stack.sandbox.namespace, 'order-status')}"`
    const rows = async (sql: string) => (await stack.sandbox.pool.query(sql)).rowCount
    await waitUntil(
      '20 orders have ended',
      async () => (await rows(`select from ${status}.order_status where ended_at is not null`)) === 20,
      { withinMs: 120_000 },
    )
    await waitUntil('the record is parked', async () => (await rows(`select from ${status}.parked`)) === 1)

    expect(succeeded(await stack.run('parked', 'ls'))).toMatch(/UNREADABLE/)
    succeeded(await stack.run('parked', 'show', 'order-status/1'))
    succeeded(await stack.run('parked', 'drop', '--key', 'o-1', '--why', 'junk', '--yes'))
    expect(succeeded(await stack.run('parked', 'log'))).toMatch(/DROPPED/)
    // The pooler took the names of connections, too: without them no replica would be seen
    expect(succeeded(await stack.run('lanes', 'ls', 'payment'))).toMatch(/payment +1 +2 live/)
    const plan = `${stack.config.dataDir}/plan.json`
    succeeded(await stack.run('replay', 'plan', '--mode', 'rebuild', '--group', 'order-status', '--out', plan))
    succeeded(await stack.run('replay', 'run', plan, '--why', 'a test', '--yes'))
    succeeded(await stack.run('verify', '--json', '--settle', '60'))
    expect(pooler.dropped).toContain('options')
  })
})
