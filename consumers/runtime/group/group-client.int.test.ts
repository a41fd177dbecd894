import { expect, test } from '@jest/globals'
import { createKafka } from '../../../infra/kafka/client.ts'
import { TcpProxy } from '../../../infra/testing/faults/tcp-proxy.ts'
import { createTestLogger } from '../../../infra/testing/test-logger.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { GroupClient } from './group-client.ts'

async function openGroup() {
  const stack = new AsyncDisposableStack()
  const sandbox = createSandbox({ TALLY_PARTITIONS: '1' })
  stack.defer(() => sandbox.close())
  await sandbox.createTopics(1)
  const [host = '', port = ''] = sandbox.config.kafka.brokers[0]?.split(':') ?? []
  const proxy = stack.use(await TcpProxy.open({ target: { host, port: Number(port) } }))
  const log = createTestLogger('silent')
  const groupId = `${sandbox.namespace}given-up`
  const topics = [`${sandbox.namespace}orders`]
  const client = new GroupClient({
    ...{ groupId, topics, partitions: 1, sessionTimeoutMs: 6_000, log },
    kafka: createKafka({ servers: { brokers: [`127.0.0.1:${proxy.port}`] }, clientId: 'given-up', log }),
    held: () => new Map(),
    joined: () => {},
    confirmed: () => {},
    eachBatch: async () => {},
    passedOver: () => {},
    unheard: () => {},
  })
  const admin = sandbox.kafka.admin()
  await admin.connect()
  stack.defer(() => admin.disconnect())
  const group = async () => (await admin.describeGroups([groupId])).groups[0]
  return { sandbox, proxy, client, groupId, topics, group, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('a client that is given up while it connects never becomes a member, even if the broker answers in the end', async () => {
  await using opened = await openGroup()
  const { client, proxy, group } = opened
  proxy.inject({ kind: 'stall' })
  const starting = client.start()
  await waitUntil('it connects', async () => proxy.connections > 0)
  await client.leave()
  proxy.heal()
  await starting
  expect(await group()).toMatchObject({ state: 'Dead', members: [] }) // Dead: there never was such a group
})

/** Starts a client, and injects a fault when it has connected and is about to join. */
async function joiningUnder(kind: 'cut' | 'stall') {
  const opened = await openGroup()
  const { client, proxy } = opened
  const starting = client.start()
  const { CONNECT } = client.consumer.events
  const connected = Promise.withResolvers<void>()
  let connects = 0
  client.consumer.on(CONNECT, () => {
    if (++connects < 2) return
    proxy.inject({ kind })
    connected.resolve()
  })
  await connected.promise
  return { ...opened, starting }
}

test('a client that is given up while it looks for its coordinator never stays a member', async () => {
  await using joining = await joiningUnder('cut')
  const { client, proxy, group, starting } = joining
  await waitUntil('it has no connection', async () => proxy.connections === 0)
  await client.leave()
  proxy.heal()
  await starting
  await waitUntil('the group is empty', async () => (await group())?.members.length === 0)
})

test('a client that is given up while it joins never stays a member', async () => {
  for (let again = 0; again < 4; again++) {
    // Whether it loses its connection before the answer comes is a race
    await using joining = await joiningUnder('stall')
    const { client, proxy, group, starting } = joining
    const leaving = client.leave()
    proxy.heal() // What was stalled is answered now, and makes it a member
    await Promise.all([leaving, starting])
    await waitUntil('the group is empty', async () => (await group())?.members.length === 0)
  }
})
