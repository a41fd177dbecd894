import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { declaredRights } from '../../consumers/operations/access/rights.ts'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { environmentWithoutServers, loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { RecordSender } from '../../infra/kafka/record-sender.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { topics } from '../../schemas/topics.ts'
import { createSecureStack } from './testing/secure-stack.ts'
import type { SecureStack } from './testing/secure-stack.ts'

const portBase = 23_200
/** A stack of its own, beside that of the test run. */
const patienceMs = 900_000
let stack: SecureStack
beforeAll(async () => {
  stack = await createSecureStack(portBase)
  await stack.start('--secure')
}, patienceMs)
afterAll(async () => stack?.close())

const as = (principal: string): Config =>
  loadConfig({ ...environmentWithoutServers(), ...stack.env, TALLY_PRINCIPAL: principal })
const kafkaAs = (principal: string) =>
  createKafka({
    servers: as(principal).kafka,
    clientId: principal,
    log: silentLogger,
    retry: { retries: 1, initialRetryTime: 20 },
  })

/** The code of the error that work ends with, or `done`. */
const outcomeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: unknown; type?: unknown; name?: unknown; message?: string }) =>
      String(error.type ?? error.code ?? error.name),
  )

describe('a secured stack', () => {
  test(
    'every command works against it',
    async () => {
      await stack.run('demo', '--orders', '200', '--exit') // Fails unless it proves the outcome
      await stack.run('produce', 'OrderPlaced', '--count', '20', '--seed', '3')
      const commands: readonly (readonly [string, ...string[]])[] = [
        ['stack', 'status'],
        ['lanes', 'ls'],
        ['parked', 'ls'],
        ['deploy', 'acls', 'roles', '--print'],
        [
          'replay',
          'plan',
          '--mode',
          'redeliver',
          '--group',
          'payment',
          '--from',
          'earliest',
          '--out',
          stack.file('plan'),
        ],
        ['scale', 'payment=2'],
        ['verify'],
      ]
      for (const command of commands) expect(await stack.run(...command)).not.toBe('')
    },
    patienceMs,
  )

  test('its secrets are for its owner only, in no command line and in no log', () => {
    const folder = join(stack.dataDir, 'security')
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
    const secrets = readdirSync(folder)
      .filter((name) => /\.(kafka|database)$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
    secrets.push(readFileSync(join(stack.dataDir, 'postgres.password'), 'utf8'))
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8', maxBuffer: 1e8 })
    const logs = readdirSync(join(stack.dataDir, 'logs')).map((name) =>
      readFileSync(join(stack.dataDir, 'logs', name), 'utf8'),
    )
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20)
      for (const text of [processes, ...logs]) expect(text.includes(secret)).toBe(false)
    }
    const server = join(stack.dataDir, 'kafka', '4.3.1', 'server.properties')
    expect(statSync(server).mode & 0o077).toBe(0)
  })

  test('a service may use its own topics and group at Kafka, and nothing else', async () => {
    for (const { principal, reads, writes, group } of await declaredRights(as('admin'))) {
      const kafka = kafkaAs(principal)
      const visible = await withAdmin(kafka, (admin) => admin.listTopics())
      expect(visible.filter((name) => !name.startsWith('__')).sort()).toEqual(
        [...new Set([...reads, ...writes])].sort(),
      )
      for (const { name: topic } of topics) {
        if (writes.includes(topic)) continue // Its own relay shows that it may
        const sender = new RecordSender(kafka)
        const record = { topic, partition: 0, key: 'x', value: Buffer.from('x'), headers: {} }
        const outcome = await outcomeOf(sender.send([record]))
        expect([principal, topic, outcome]).toEqual([
          principal,
          topic,
          expect.stringMatching(/REFUSED_BY_KAFKA|UNREACHABLE/),
        ])
        await sender.stop()
      }
      const others = ['payment', 'inventory'].filter((other) => other !== group)
      for (const other of others) {
        const asked = withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId: other }))
        const refused = expect.stringMatching(/^(GROUP_AUTHORIZATION_FAILED|KafkaJSGroupCoordinatorNotFound)$/)
        expect([principal, other, await outcomeOf(asked)]).toEqual([principal, other, refused])
      }
      const made = withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic: `of-${principal}` }] }))
      expect(await outcomeOf(made)).not.toBe('done')
      const deleted = withAdmin(kafka, (admin) => admin.deleteTopics({ topics: ['orders'] }))
      expect(await outcomeOf(deleted)).not.toBe('done')
    }
  })

  test('a service may use its own schema in the database, and nothing else', async () => {
    const rights = await declaredRights(as('admin'))
    const schemas = [...rights.map(({ schema }) => schema.replaceAll('"', '')), 'replay']
    for (const { principal, schema, alsoReads } of rights) {
      const pool = createPool({ url: as(principal).postgres.url, name: 'matrix', max: 1, log: silentLogger })
      try {
        const tables = await adminTables(schemas)
        for (const { at, table } of tables) {
          const own = schemaName('', at) === schema.replaceAll('"', '')
          const shared = alsoReads[at]?.includes(table) === true
          const read = await outcomeOf(pool.query(`select 1 from "${at}"."${table}" limit 1`))
          expect([principal, at, table, read]).toEqual([principal, at, table, own || shared ? 'done' : '42501'])
          if (own) continue
          const written = await outcomeOf(pool.query(`delete from "${at}"."${table}" where false`))
          expect([principal, at, table, written]).toEqual([principal, at, table, '42501'])
        }
        for (const forbidden of [
          `create schema mine`,
          `create role other`,
          `update generations.generation set partitions = 1`,
          `select pg_read_file('postgresql.conf')`,
          `alter role tally password 'x'`,
        ])
          expect([principal, forbidden, await outcomeOf(pool.query(forbidden))]).toEqual([
            principal,
            forbidden,
            '42501',
          ])
      } finally {
        await pool.end()
      }
    }
  })

  async function adminTables(schemas: readonly string[]): Promise<{ at: string; table: string }[]> {
    const pool = createPool({ url: as('admin').postgres.url, name: 'matrix', max: 1, log: silentLogger })
    try {
      const { rows } = await pool.query<{ at: string; table: string }>(
        `select schemaname as at, tablename as table from pg_tables where schemaname = any($1) and tablename !~ '^inbox_'`,
        [schemas],
      )
      return rows
    } finally {
      await pool.end()
    }
  }

  test('nobody gets in with the password of another, or without one', async () => {
    const servers = { ...as('payment').kafka, sasl: { ...as('payment').kafka.sasl, username: 'admin' } as never }
    const kafka = createKafka({ servers, clientId: 'x', log: silentLogger, retry: { retries: 0 } })
    expect(await outcomeOf(withAdmin(kafka, (admin) => admin.listTopics()))).toBe('KafkaJSSASLAuthenticationError')
    const url = new URL(as('payment').postgres.url)
    url.username = 'tally'
    const pool = createPool({ url: url.href, name: 'x', max: 1, log: silentLogger })
    expect(await outcomeOf(pool.query('select 1'))).toBe('28P01')
    await pool.end()
    expect((await fetch(`http://127.0.0.1:${portBase + 80}/products`)).status).toBe(401)
  })

  test('a data folder made without security cannot be secured later', async () => {
    await using plain = await createSecureStack(portBase + 100)
    await plain.pretendData()
    await expect(plain.start('--secure')).rejects.toThrow('was made without --secure')
  })
})
