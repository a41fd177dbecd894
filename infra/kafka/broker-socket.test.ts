import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, test } from '@jest/globals'
import { silentLogger } from '../logger.ts'
import { addressForKafkajs, readBroker } from './broker-socket.ts'
import { createKafka } from './client.ts'

test.each([
  ['kafka-1.example:9092', { host: 'kafka-1.example', port: 9092 }],
  ['127.0.0.1:9092', { host: '127.0.0.1', port: 9092 }],
  ['[::1]:9092', { host: '::1', port: 9092 }],
  ['[2001:db8::5]:9093', { host: '2001:db8::5', port: 9093 }],
])('%s is read alike in both notations', (broker, address) => {
  expect(readBroker(broker)).toEqual(address)
  expect(readBroker(addressForKafkajs(broker))).toEqual(address)
  expect(addressForKafkajs(broker).split(':')).toHaveLength(2) // kafkajs splits there
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

;(hasIpv6 ? test : test.skip)('kafkajs reaches a broker by its IPv6 address', async () => {
  const server = createServer().listen(0, '::1')
  await once(server, 'listening')
  const arrived = once(server, 'connection')
  const { port } = server.address() as AddressInfo
  const kafka = createKafka({
    servers: { brokers: [`[::1]:${port}`] },
    clientId: 'six',
    log: silentLogger,
    retry: { retries: 0 },
  })
  const admin = kafka.admin()
  const connecting = admin.connect().catch(() => {}) // Nothing answers there
  const [socket] = (await arrived) as [{ destroy(): void }]
  server.close()
  socket.destroy()
  await admin.disconnect()
  await connecting
})
