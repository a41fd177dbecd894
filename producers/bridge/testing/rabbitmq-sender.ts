import type { Channel, GetMessage } from 'amqplib'
import { closeRabbitmq, connectRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import type { Sender } from './bridge-bench.ts'

export async function rabbitmqSender(url: string): Promise<Sender> {
  const connection = await connectRabbitmq({ url, name: 'a shop' })
  const channel = await connection.createConfirmChannel()
  return {
    async send(queue, messages) {
      for (const { id, body, contentType, sentAt } of messages)
        channel.sendToQueue(queue, Buffer.from(body), {
          messageId: id,
          contentType,
          timestamp: sentAt,
          persistent: true,
        })
      await channel.waitForConfirms()
    },
    async deliver(queue, times) {
      for (let delivered = 0; delivered < times; ) {
        const message = await channel.get(queue)
        if (!message) continue // It is on its way back
        channel.nack(message)
        delivered++
      }
    },
    async deadLetters(queue) {
      const found: GetMessage[] = []
      for (let one = await get(channel, queue); one; one = await get(channel, queue)) found.push(one)
      return found.map(({ content, properties }) => ({
        id: properties.messageId as string | undefined,
        body: content.toString(),
        problem: JSON.parse(String(properties.headers?.['tally-problem'])),
      }))
    },
    waiting: async (queue) => (await channel.checkQueue(queue)).messageCount,
    [Symbol.asyncDispose]: () => closeRabbitmq(connection),
  }
}

const get = (channel: Channel, queue: string) => channel.get(`${queue}.dead-letter`, { noAck: true })
