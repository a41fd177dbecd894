import { describe, expect, test } from '@jest/globals'
import { environmentWith, loadConfig } from '../../../infra/config.ts'
import { queueServers } from '../../../infra/queue-settings.ts'
import { canTest, startQueue } from '../../../infra/testing/queues/start-queues.ts'
import { ensureQueues } from '../../../producers/bridge/start-bridge.ts'
import { checkRabbitmq, checkSqs } from './check-queues.ts'

const checks = { rabbitmq: checkRabbitmq, sqs: checkSqs }
const forwarding = {
  rabbitmq: (queue: string) => ({ TALLY_FORWARD_RABBITMQ: `queue:${queue}` }),
  sqs: (queue: string) => ({ TALLY_FORWARD_SQS: queue }),
}

describe.each(queueServers.filter(canTest))('the doctor asks %s', (server) => {
  test('whether it lets us in and has the queue of forwarded events', async () => {
    await using queue = await startQueue(server, server === 'sqs' ? 28_800 : 28_900)
    await ensureQueues(queue.config, { door: server, queue: 'events', prefetch: 1 }, true)
    const found = (settings: NodeJS.ProcessEnv) =>
      checks[server](loadConfig(environmentWith({ ...queue.env, ...settings })))
    expect(await found({})).toEqual([])
    expect(await found(forwarding[server]('events'))).toEqual([])
    expect(await found(forwarding[server]('missing'))).toMatchObject([{ problem: expect.stringContaining(' has no ') }])
    if (server !== 'rabbitmq') return // ElasticMQ takes any key
    const denied = String(queue.config.rabbitmq.url).replace(/:[^:@]+@/, ':wrong-password@')
    const [finding, ...more] = await found({ TALLY_RABBITMQ_URL: denied })
    expect([finding?.problem, more]).toEqual([expect.stringMatching(/^RabbitMQ refuses access/), []])
    expect(finding?.problem).not.toContain('wrong-password')
  }, 600_000)
})
