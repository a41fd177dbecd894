import { expect, test } from '@jest/globals'
import { topicName, topics } from '../topics.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createSandbox } from './sandbox.ts'

test('a sandbox has the three servers, its own topics and leaves nothing behind', async () => {
  const sandbox = createSandbox()
  const other = createSandbox()
  await sandbox.createTopics(2)
  await sandbox.pool.query(`create schema ${sandbox.namespace}orders create table t (i int)`)
  const admin = other.kafka.admin()
  await admin.connect()
  expect(await admin.listTopics()).toEqual(
    expect.arrayContaining(topics.map((topic) => topicName(sandbox.namespace, topic))),
  )
  expect((await fetch(`${sandbox.config.registry.url}/subjects`)).ok).toBe(true)

  await sandbox.close()
  const left = async () => (await admin.listTopics()).filter((topic) => topic.startsWith(sandbox.namespace))
  await waitUntil('its topics are gone', async () => (await left()).length === 0) // Brokers tell of it a moment later
  const { rows } = await other.pool.query('select from pg_namespace where starts_with(nspname, $1)', [
    sandbox.namespace,
  ])
  expect(rows).toEqual([])
  await admin.disconnect()
  await other.close()
})
