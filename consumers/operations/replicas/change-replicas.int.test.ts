import { expect, test } from '@jest/globals'
import { consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'
import { createTopics } from '../../../infra/kafka/topics.ts'
import { generationTable, migrateGenerations } from '../../../infra/topic-generations/generation-table.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import { changeReplicas } from './change-replicas.ts'
import { readLaneProgress } from './lane-progress.ts'
import { serveStack } from './testing/served-stack.ts'

const consumer = 'order-status'

/** A consumer whose topics had three partitions and have two now. Its lanes are claimed, as far as one can see. */
async function afterPartitionChange() {
  const sandbox = createSandbox()
  const { config, namespace, kafka, pool, log } = sandbox
  const group = schemaName(namespace, consumer)
  const schema = `"${group}"`
  const wider = topics.map((topic) => ({ topic: topicName(namespace, topic, 2), numPartitions: 2 }))
  await Promise.all([
    sandbox.createTopics(3),
    withAdmin(kafka, (admin) => createTopics(admin, wider)),
    migrateGenerations(config, log),
    migrate({ url: config.postgres.url, schema: group, folders: consumerMigrations(consumer), log }),
  ])
  await pool.query(
    `insert into ${generationTable(namespace)} (number, partitions, actor, switched_at)
     values (1, 3, 'test', now()), (2, 2, 'test', now())`,
  )
  // A claim counts while its owner is connected: the test's own pool is
  await pool.query(`insert into ${schema}.lane (lane, epoch, owner) values (0, 7, $1), (1, 7, $1)`, [namespace])
  await pool.query(`insert into ${schema}.lane_state (lane, epoch, phase) values (0, 7, 'live'), (1, 7, 'live')`)
  await pool.query(
    `insert into ${schema}.ledger (topic, partition, epoch, first_offset, next_offset, taken)
     values ('orders', 0, 3, 0, 900, 900), ('orders.g2', 0, 7, 0, 5, 5), ('payments.g2', 0, 7, 0, 2, 2)`,
  )
  return { sandbox, schema }
}

test('after a change of the partitions the lanes there are now are followed, whatever the configuration says', async () => {
  const { sandbox, schema } = await afterPartitionChange()
  await using _sandbox = sandbox
  const { config, pool } = sandbox
  await using stack = await serveStack({ [consumer]: 1 }, async () => {
    await pool.query(`update ${schema}.lane set epoch = 8`)
    await pool.query(`update ${schema}.lane_state set epoch = 8`)
  })
  const [change] = await changeReplicas({
    ...{ config: { ...config, dataDir: stack.dataDir }, pool, wanted: { [consumer]: 2 } },
    ...{ withinMs: 5_000, signal: AbortSignal.timeout(30_000) },
  })
  expect(change?.replicas).toEqual({ before: 1, after: 2 })
  expect(change?.passages.map(({ lane, to }) => [lane, to])).toEqual([0, 1].map((lane) => [lane, sandbox.namespace]))
  expect(change?.totals.after.taken).toBe(7)
})

test('a lane that is claimed for the first time had no owner before', async () => {
  const { sandbox, schema } = await afterPartitionChange()
  await using _sandbox = sandbox
  const { config, pool, namespace } = sandbox
  await pool.query(`delete from ${schema}.lane where lane = 1`)
  await using stack = await serveStack({ [consumer]: 1 }, () =>
    pool.query(`insert into ${schema}.lane (lane, epoch, owner) values (1, 7, $1)`, [namespace]),
  )
  const [change] = await changeReplicas({
    ...{ config: { ...config, dataDir: stack.dataDir }, pool, wanted: { [consumer]: 2 } },
    ...{ withinMs: 5_000, signal: AbortSignal.timeout(30_000) },
  })
  expect(change?.passages.map(({ from, to }) => [from, to])).toEqual([
    [namespace, namespace],
    [null, namespace],
  ])
})

test('a lane is as far as it is in the topics there are now: what it took of earlier ones would hide what it has to take', async () => {
  const { sandbox, schema } = await afterPartitionChange()
  await using _sandbox = sandbox
  const topicsNow = new Set(['orders.g2', 'payments.g2'])
  expect(await readLaneProgress(sandbox.pool, { schema, topics: topicsNow })).toMatchObject([
    { lane: 0, claimed: true, reached: 7 },
    { lane: 1, claimed: true, reached: 0 },
  ])
})
