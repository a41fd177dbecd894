import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { orderGenerator } from '../../producers/sample-data/order-generator.ts'
import { topicName, topics } from '../../schemas/topics.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'
import { consumers, openActStack } from './acts/testing/act-stack.ts'
import type { ActStack } from './acts/testing/act-stack.ts'

const [first, later] = [
  { seed: 31, count: 40 },
  { seed: 32, count: 12 },
]

/** Time passes by dating rows back and deleting records as Kafka does; what deletes rows are the running services. */
describe('a pipeline from which things have left by their age', () => {
  let stack: TestStack
  let acts: ActStack
  beforeAll(async () => {
    stack = await createTestStack(30_900, {
      ...{ TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'fatal', TALLY_RETRY_LIMIT: '0' },
      ...{ TALLY_KEEP_ORDERS_DAYS: '22', TALLY_KEEP_AUDIT_DAYS: '22', TALLY_KEEP_KEYS_DAYS: '1' },
    })
    acts = openActStack(stack)
    await stack.start()
    await acts.run('produce', 'StockReplenished', '--count', '200', '--seed', '1')
    await placed(first)
    const { orderId } = await acts.spoil()
    await acts.drop('a test', orderId)
    await proved()
  })
  afterAll(() => stack?.close())

  const placed = ({ seed, count }: { seed: number; count: number }) =>
    acts.run('produce', 'OrderPlaced', '--count', `${count}`, '--seed', `${seed}`, '--via', 'api')
  /** @returns all that a green verdict says */
  const proved = async () => {
    const { exitCode, stdout, stderr } = await stack.run('verify', '--json', '--settle', '180')
    expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, ''])
    return stdout
  }
  const countOf = async (group: string, table: string, condition = 'true') =>
    (
      await acts.query<{ rows: number }>(
        `select count(*)::int as rows from ${acts.at(group, table)} where ${condition}`,
      )
    )[0]?.rows
  const plan = (name: string) => join(stack.config.dataDir, `${name}.json`)
  const planned = (name: string, mode: string, group: string) =>
    acts.run('replay', 'plan', '--mode', mode, '--group', group, '--from', 'earliest', '--out', plan(name))
  const runPlan = (name: string, ...options: string[]) =>
    stack.run('replay', 'run', plan(name), '--why', 'after a month', '--yes', ...options)

  test('balances when ended orders, audits and idempotency keys have left', async () => {
    expect(await countOf('order-status', 'order_status', 'ended_at is not null')).toBe(first.count)
    expect(await countOf('orders', 'idempotency')).toBeGreaterThanOrEqual(first.count)
    const month = `interval '30 days'`
    await acts.query(`update ${acts.at('order-status', 'order_status')} set stored_at = stored_at - ${month}`)
    await acts.query(`update ${acts.at('orders', 'idempotency')} set answered_at = answered_at - ${month}`)
    await acts.query(`update ${acts.at('orders', 'idempotency_sweep')} set due_at = now()`)
    for (const group of consumers) {
      expect([group, await countOf(group, 'parked_audit')]).toEqual([group, 1])
      await acts.query(`update ${acts.at(group, 'parked_audit')} set at = at - ${month}`)
      await acts.query(`update ${acts.at(group, 'retention')} set due_at = now()`)
    }
    await acts.run('scale', '--restart') // A process looks when it starts
    await waitUntil(
      'all has left',
      async () => {
        const left = await Promise.all([
          ...consumers.map((group) => countOf(group, 'parked_audit')),
          ...['order_status', 'timeline'].map((table) => countOf('order-status', table)),
          countOf('orders', 'idempotency'),
        ])
        return left.every((rows) => rows === 0)
      },
      { withinMs: 240_000 },
    )
    expect(await proved()).toContain(`${first.count} ended orders left by age`)
  }, 900_000)

  test('balances when Kafka has deleted their events and inboxes have forgotten their ids; replays see what is left', async () => {
    await planned('before', 'redeliver', 'inventory')
    const { kafka, namespace } = stack.sandbox
    await withAdmin(kafka, async (admin) => {
      for (const each of topics) {
        const topic = topicName(namespace, each)
        const partitions = (await admin.fetchTopicOffsets(topic)).filter(({ low, high }) => low !== high)
        if (partitions.length > 0)
          await admin.deleteTopicRecords({
            topic,
            partitions: partitions.map(({ partition, high }) => ({ partition, offset: high })),
          })
      }
    })
    for (const group of consumers) await acts.query(`delete from ${acts.at(group, 'inbox')}`)
    await placed(later)
    const verdict = await proved()
    expect(verdict).toMatch(/orders\/[01]: offsets 0 to \d+ were deleted .*because Kafka has deleted/)
    expect(JSON.parse(verdict)).toMatchObject({ ok: true })

    const gone = await runPlan('before')
    expect([gone.exitCode, gone.stderr]).toEqual([1, expect.stringMatching(/deleted/)])
    await planned('redeliver', 'redeliver', 'inventory')
    succeeded(await runPlan('redeliver'))
    await planned('rebuild', 'rebuild', 'order-status')
    const refused = await runPlan('rebuild')
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('--accept-lost')])
    expect(await countOf('order-status', 'order_status')).toBe(later.count)
    succeeded(await runPlan('rebuild', '--accept-lost'))
    expect(await countOf('order-status', 'order_status')).toBe(later.count)
    await proved()
  }, 900_000)

  test('balances when a customer is forgotten', async () => {
    const { customerId } = orderGenerator(later.seed)(0)
    const forget = ['forget', '--customer', customerId, '--why', 'ticket 4711', '--yes', '--json'] as const
    expect(JSON.parse(succeeded(await stack.run(...forget)))).toMatchObject({ complete: true })
    await proved()
  }, 600_000)
})
