import { channel } from 'node:diagnostics_channel'
import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { TopicOffsets } from './topic-offsets.ts'

test('regular questions about the topics stay on their connections, and connect again when one is lost', async () => {
  await using sandbox = createSandbox()
  const { kafka, namespace } = sandbox
  await sandbox.createTopics(2)
  const offsets = await TopicOffsets.open({ kafka, namespace, topics: ['orders', 'payments'], partitions: 2 })
  const sockets: { destroy(): void }[] = []
  const opened = (message: unknown) => void sockets.push((message as { socket: { destroy(): void } }).socket)
  channel('net.client.socket').subscribe(opened)
  const look = async () => {
    await offsets.refreshRegularly()
    return (await offsets.extents(['orders', 'payments'], true)).size
  }
  try {
    expect(await look()).toBe(4)
    const connected = sockets.length
    expect(connected).toBeGreaterThan(0)
    expect([await look(), await look(), await look()]).toEqual([4, 4, 4])
    expect(sockets).toHaveLength(connected)
    for (const socket of sockets) socket.destroy()
    await waitUntil('another connection', () =>
      look().then(
        (size) => size === 4,
        () => false,
      ),
    )
    expect(sockets.length).toBeGreaterThan(connected)
  } finally {
    channel('net.client.socket').unsubscribe(opened)
    offsets.stop()
  }
})
