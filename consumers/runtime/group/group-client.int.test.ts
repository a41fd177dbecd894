import { expect, test } from '@jest/globals'
import { createKafka } from '../../../infra/kafka/client.ts'
import { TcpProxy } from '../../../infra/testing/faults/tcp-proxy.ts'
import { createTestLogger } from '../../../infra/testing/test-logger.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { GroupClient } from './group-client.ts'

test('a client that is given up while it connects never becomes a member, even if the broker answers in the end', async () => {
  await using stack = new AsyncDisposableStack()
  const sandbox = createSandbox({ TALLY_PARTITIONS: '1' })
  stack.defer(() => sandbox.close())
  await sandbox.createTopics(1)
  const [host = '', port = ''] = sandbox.config.kafka.brokers[0]?.split(':') ?? []
  const proxy = stack.use(await TcpProxy.open({ target: { host, port: Number(port) } }))
  const log = createTestLogger('silent')
  const groupId = `${sandbox.namespace}given-up`
  const client = new GroupClient({
    ...{ groupId, topics: [`${sandbox.namespace}orders`], partitions: 1, sessionTimeoutMs: 6_000, log },
    kafka: createKafka({ servers: { brokers: [`127.0.0.1:${proxy.port}`] }, clientId: 'given-up', log }),
    held: () => new Map(),
    joined: () => {},
    confirmed: () => {},
    eachBatch: async () => {},
    passedOver: () => {},
    unheard: () => {},
  })
  proxy.inject({ kind: 'stall' })
  const starting = client.start()
  await waitUntil('it connects', async () => proxy.connections > 0)
  await client.leave()
  proxy.heal()
  await starting
  const admin = sandbox.kafka.admin()
  await admin.connect()
  stack.defer(() => admin.disconnect())
  const { groups } = await admin.describeGroups([groupId])
  expect(groups[0]).toMatchObject({ state: 'Dead', members: [] }) // Dead: there never was such a group
})
