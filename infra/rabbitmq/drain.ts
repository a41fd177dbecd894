import type { GetMessage } from 'amqplib'
import { connectionError, connectRabbitmq } from './connect.ts'
import type { RabbitmqAccess } from './connect.ts'

/**
 * Takes all messages out of a queue, in groups. A group is acknowledged once `take` has resolved; if it throws, the queue
 * has the group again.
 * @param take gets how many consumers the queue has besides; the last time perhaps without a message
 * @throws what `take` throws; TallyError DENIED; UNREACHABLE, also if there is no such queue
 */
export async function drainRabbitmqQueue(
  access: RabbitmqAccess,
  queue: string,
  take: (messages: readonly GetMessage[], consumers: number) => Promise<void> | void,
  maxGroup = 500,
): Promise<void> {
  const connection = await connectRabbitmq(access)
  try {
    const channel = await connection.createChannel()
    channel.on('error', () => {}) // The request that it concerns is rejected, too
    const asked = async <T>(request: Promise<T>) =>
      request.catch((error: unknown) => {
        throw connectionError(error)
      })
    for (;;) {
      const { consumerCount } = await asked(channel.checkQueue(queue))
      const group: GetMessage[] = []
      while (group.length < maxGroup) {
        const got = await asked(channel.get(queue))
        if (!got) break
        group.push(got)
      }
      const last = group.at(-1)
      await take(group, consumerCount)
      if (!last) return await channel.close()
      channel.ack(last, true)
      if (group.length < maxGroup) return await channel.close() // After the acknowledgement
    }
  } finally {
    await connection.close().catch(() => {})
  }
}
