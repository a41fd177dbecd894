import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { laneObstacles } from '../../consumers/operations/parked/lane-obstacles.ts'
import { standingLanes } from '../../consumers/operations/partitions/preconditions.ts'
import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { orders } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'

const group = 'order-status'
const partitions = 3
let bench: TestBench
beforeAll(async () => void (bench = await openTestBench(group, '', partitions)))
afterAll(async () => bench?.[Symbol.asyncDispose]())

/** Runs a command as a script would: without a terminal. */
async function run(script: string, ...args: string[]) {
  const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: bench.sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}
const acceptLoss = (...args: string[]) => run('lanes', 'accept-loss', ...args)

/** A replica as it runs in production: its connections carry its name, by which tests that run beside would take it for theirs. */
async function replica(role: string) {
  const name = `${bench.sandbox.namespace}${role}`
  const schema = `${bench.sandbox.namespace}order_status`
  const pool = createPool({ url: bench.config.postgres.url, schema, name, log: bench.sandbox.log })
  const running = await bench.replica(await loadConsumer(group, bench.config), name, { pool })
  return async () => {
    await running.stop()
    await pool.end()
  }
}
const ends = async (topic: string) => {
  const offsets = await withAdmin(bench.sandbox.kafka, (admin) =>
    admin.fetchTopicOffsets(`${bench.sandbox.namespace}${topic}`),
  )
  return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high))
}
const stopped = (lanes: readonly number[]) =>
  waitUntil(
    `lanes ${lanes.join(', ')} have stopped`,
    async () => {
      const { rows } = await bench.pool.query<{ lane: number; reason: string }>(
        `select lane, reason from lane_state join lane using (lane, epoch) where phase = 'stopped' order by lane`,
      )
      return rows.map(({ lane }) => lane).join() === lanes.join() ? rows.map(({ reason }) => reason) : undefined
    },
    { withinMs: 120_000 },
  )
const statuses = async () => (await bench.pool.query('select from order_status')).rowCount

test('records of two lanes deleted while no replica ran: shown, told everywhere, accepted by one of two operators', async () => {
  await bench.publish(orders(30))
  const stopFirst = await replica('first')
  await bench.settled(['orders'])
  await stopFirst()
  const read = await ends('orders')
  await bench.publish(orders(30, 'lost'))
  const now = await ends('orders')
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    const topic = `${bench.sandbox.namespace}orders`
    await admin.fetchTopicOffsets(topic) // kafkajs deletes in topics it has heard of only
    const gone = [0, 1].map((partition) => ({ partition, offset: String(now[partition]) }))
    await admin.deleteTopicRecords({ topic, partitions: gone })
  })

  expect((await acceptLoss(group)).exitCode).toBe(2) // Without a reason
  expect(await acceptLoss(`${group}/7`, '--why', 'x')).toMatchObject({
    exitCode: 2,
    stderr: `${group} has no lane 7: there are 0 to 2\n`,
  })
  expect(await acceptLoss(`${group}/2`, '--why', 'x')).toMatchObject({
    exitCode: 0,
    stderr: `${group}/2 has lost nothing: the broker has the next record of each of its topics.\n`,
  })
  const look = await acceptLoss(group, '--why', 'x')
  expect(look).toMatchObject({ exitCode: 0, stdout: '' })
  for (const lane of [0, 1])
    expect(look.stderr).toMatch(
      new RegExp(`^${group}/${lane}: orders offsets ${read[lane]} to ${now[lane]! - 1} were deleted unread`, 'm'),
    )
  expect(look.stderr).toMatch(/Nothing was changed. To accept the loss, add --yes.\n$/)
  const losses = [0, 1].map((partition) => ({
    ...{ topic: 'orders', partition, cause: 'deleted', position: read[partition] },
    ...{ unread: now[partition]! - read[partition]!, resumeAt: now[partition] },
  }))
  expect(JSON.parse((await acceptLoss(group, '--why', 'x', '--json')).stdout)).toEqual({
    ...{ group, accepted: false, losses },
  })

  expect((await run('lanes', 'pause', group, '--lane', '1', '--why', 'looking')).exitCode).toBe(0)
  const stopSecond = await replica('second')
  for (const [lane, reason] of (await stopped([0, 1])).entries())
    expect(reason).toContain(`npm run lanes -- accept-loss ${group}/${lane} --why`)
  const wayOn = `npm run lanes -- accept-loss ${group}`
  expect((await run('lanes', 'resume', group)).stderr).toContain(wayOn)
  expect((await run('lanes', 'pause', group, '--lane', '0', '--why', 'looking')).stderr).toContain(wayOn)
  expect((await run('lanes', 'ls', group)).stdout).toMatch(/2 stopped[^]*Next:[^]*npm run lanes -- accept-loss/)

  // What `partitions`, and a redelivery or a redrive, say of such lanes
  const schema = `"${bench.sandbox.namespace}order_status"`
  const standing = await standingLanes(bench.pool, { groups: [{ name: group, schema }] })
  expect(standing.filter((sentence) => sentence.includes(wayOn))).toHaveLength(2)
  expect(standing).toContainEqual(expect.stringContaining(`npm run lanes -- resume ${group}`))
  expect(await laneObstacles(bench.pool, [1])).toMatchObject([{ stopped: true, why: expect.stringContaining(wayOn) }])

  const both = await Promise.all(
    ['ann', 'bob'].map((actor) => acceptLoss(group, '--why', `seen by ${actor}`, '--actor', actor, '--yes')),
  )
  for (const { exitCode } of both) expect(exitCode).toBe(0)
  const said = both.map(({ stderr }) => stderr).join('')
  for (const lane of [0, 1]) {
    expect(said.match(new RegExp(`${group}/${lane}: loss accepted; the lane resumes`, 'g'))).toHaveLength(1)
    expect(said).toMatch(
      new RegExp(`${group}/${lane}: nothing is lost any more: (ann|bob) accepted|${group} has lost nothing`),
    )
  }
  const { rows } = await bench.pool.query('select from skipped')
  expect(rows).toHaveLength(2)
  await run('lanes', 'resume', group)
  await bench.publish(orders(30, 'after'))
  await bench.settled(['orders'])
  expect(await statuses()).toBe(60 + (now[2]! - read[2]!))
  await stopSecond()
})

test('a ledger ahead of its topic, and a topic created again, are told and accepted by the same command', async () => {
  const end = (await ends('payments'))[0]!
  // As after a restore of the broker from an older backup
  const { rowCount } = await bench.pool.query(
    `update ledger set next_offset = next_offset + 5, holes = holes + 5
     where topic = 'payments' and partition = 0
       and epoch = (select max(epoch) from ledger where topic = 'payments' and partition = 0)`,
  )
  expect(rowCount).toBe(1)
  expect((await acceptLoss(`${group}/0`, '--why', 'x')).stderr).toContain(
    `${group}/0: payments/0 ends at offset ${end}, but the lane has read up to ${end + 5}`,
  )
  const topic = `${bench.sandbox.namespace}shipping`
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    await waitUntil('the topic is created again', () =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] }),
    )
  })
  const stop = await replica('third')
  for (const reason of await stopped([0, 1, 2])) expect(reason).toContain(`npm run lanes -- accept-loss ${group}/`)
  const accepted = await acceptLoss(group, '--why', 'restored', '--yes', '--json')
  expect(accepted.exitCode).toBe(0)
  const { losses } = JSON.parse(accepted.stdout) as { losses: { topic: string; cause: string; partition: number }[] }
  expect(losses.map((loss) => `${loss.topic}/${loss.partition} ${loss.cause}`).toSorted()).toEqual([
    ...['payments/0 truncated', 'shipping/0 recreated', 'shipping/1 recreated', 'shipping/2 recreated'],
  ])
  const before = await statuses()
  await bench.publish(orders(9, 'last'))
  await bench.settled(['orders', 'payments', 'shipping'])
  expect(await statuses()).toBe(before! + 9)
  await stop()
})
