import { expect, test } from '@jest/globals'
import { consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'
import { migrateReplays } from '../replay/replay-schema.ts'
import { tryLockTarget } from '../replay/run/target-lock.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { Orphans } from './orphans.ts'
import { openForRemoval, removeConsumer } from './remove-consumer.ts'
import type { RemoveOptions } from './remove-consumer.ts'
import { serveStack } from './testing/served-stack.ts'

const consumer = 'notifications'
const replicas = 2

/** A consumer with tables and two replicas, as far as one can see. */
async function openScene(onScale?: () => void) {
  const sandbox = createSandbox()
  const { namespace, kafka, log } = sandbox
  const stack = await serveStack({ [consumer]: replicas }, onScale)
  const config = { ...sandbox.config, dataDir: stack.dataDir }
  const schema = schemaName(namespace, consumer)
  await Promise.all([
    migrateReplays(config, log),
    migrate({ url: config.postgres.url, schema, folders: consumerMigrations(consumer), log }),
  ])
  const pool = openForRemoval(config)
  return {
    ...{ sandbox, stack, pool, schema },
    remove: (changes: Partial<RemoveOptions> = {}) =>
      removeConsumer({
        ...{ config, kafka, pool, consumer, giveUp: false, withinMs: 5_000, signal: AbortSignal.timeout(60_000) },
        agreed: () => Promise.resolve(true),
        ...changes,
      }),
    async schemas() {
      const { rows } = await pool.query<{ name: string }>(
        'select nspname as name from pg_namespace where starts_with(nspname, $1) order by 1',
        [schema],
      )
      return rows.map(({ name }) => name.slice(schema.length))
    },
    async [Symbol.asyncDispose]() {
      await pool.end()
      await stack[Symbol.asyncDispose]()
      await sandbox.close()
    },
  }
}

test('a consumer with an open replay is not removed: the replay could no longer be ended', async () => {
  await using scene = await openScene()
  const { pool, stack } = scene
  const { rows } = await pool.query<{ id: number }>(
    `insert into replay (plan_id, mode, target, plan, options, actor, runner, state)
     values ('p', 'redeliver', 'order-status', '{}', '{}', 'ada', 'here:1', 'running'),
            ('q', 'redeliver', $1, '{}', '{}', 'ada', 'here:1', 'running') returning id`,
    [consumer],
  )
  const id = rows[1]?.id
  for (const state of ['running', 'paused', 'stopped']) {
    await pool.query('update replay set state = $2 where id = $1', [id, state])
    await expect(scene.remove()).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: `Replay ${id} of ${consumer} is ${state}: end it first, or cancel it (\`npm run replay -- cancel ${id}\`)`,
    })
  }
  expect(stack.asked).toEqual([])
  await pool.query(`update replay set state = 'cancelled' where id = $1`, [id])
  const agreed = async () => {
    await using lock = await tryLockTarget(pool, consumer)
    return lock !== undefined
  }
  expect(await scene.remove({ agreed })).toBeUndefined() // No replay can begin while the operator is asked
  expect(await scene.schemas()).toEqual([''])
})

test('what its rebuilds left goes with it: tables of its former life must not come back', async () => {
  await using scene = await openScene()
  const { pool, schema, stack } = scene
  for (const name of ['_before_3', '_rebuild_12', '_before_4', '_before_you'])
    await pool.query(`create schema "${schema}${name}"`)
  await pool.query(`create table "${schema}_before_4".ledger ()`) // A consumer's that is called so
  const shown: Orphans[] = []
  const removed = await scene.remove({ agreed: async (orphans) => shown.push(orphans) > 0 })
  const aside = ['_before_3', '_rebuild_12'].map((name) => `${schema}${name}`)
  expect(shown).toMatchObject([{ schema, aside }])
  expect(removed).toMatchObject({ schema, aside })
  expect(stack.asked).toEqual([{ [consumer]: 0 }])
  expect(await scene.schemas()).toEqual(['_before_4', '_before_you'])
})

test('a consumer with unpublished events is not removed, and its replicas keep running', async () => {
  await using scene = await openScene()
  const { pool, schema, stack } = scene
  await pool.query(`insert into "${schema}".outbox_batch values (0, 1, 2, 'inventory', 0, 0, '')`)
  await expect(scene.remove()).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringMatching(/^notifications has 2 events to publish .* its replicas run as before$/),
  })
  expect(stack.asked).toEqual([{ [consumer]: 0 }, { [consumer]: replicas }])
  expect(await scene.schemas()).toEqual([''])
})

test('if its tables cannot be dropped its replicas are as before; nothing is counted again before that', async () => {
  await using scene = await openScene()
  const { sandbox, pool, schema, stack } = scene
  const reader = await sandbox.pool.connect()
  const agreed = async () => {
    await reader.query('begin; set local idle_in_transaction_session_timeout = 0')
    await reader.query(`lock table "${schema}".inbox in access exclusive mode`)
    return true
  }
  try {
    const removal = scene.remove({ agreed })
    await waitUntil('the drop has been given up', async () => {
      const { rows } = await pool.query(
        `select pg_cancel_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like $1`,
        [`drop schema if exists "${schema}"%`],
      )
      return rows.length > 0
    })
    await expect(removal).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringMatching(/canceling statement.* its replicas run as before$/),
    })
  } finally {
    await reader.query('rollback')
    reader.release()
  }
  expect(stack.asked).toEqual([{ [consumer]: 0 }, { [consumer]: replicas }])
  expect(await scene.schemas()).toEqual([''])
})

test('an interrupt before anything is dropped leaves its replicas as before', async () => {
  const interrupt = new AbortController()
  await using scene = await openScene(() => interrupt.abort())
  await expect(scene.remove({ signal: interrupt.signal })).rejects.toThrow('its replicas run as before')
  expect(scene.stack.asked).toEqual([{ [consumer]: 0 }, { [consumer]: replicas }])
  expect(await scene.schemas()).toEqual([''])
})

test('a large inbox may take minutes to count and to drop', async () => {
  await using scene = await openScene()
  const { rows } = await scene.pool.query<{ ms: number }>(
    `select setting::int as ms from pg_settings where name = 'statement_timeout'`,
  )
  expect(rows[0]?.ms).toBeGreaterThanOrEqual(600_000)
  expect((scene.pool.options as { query_timeout?: number }).query_timeout).toBeGreaterThanOrEqual(600_000)
})
