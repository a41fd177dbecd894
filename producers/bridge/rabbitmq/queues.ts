import type { ChannelModel } from 'amqplib'
import { TallyError } from '../../../infra/errors.ts'
import { closeRabbitmq, connectionError, connectRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import type { RabbitmqAccess } from '../../../infra/rabbitmq/connect.ts'
import { deadLetterOf } from '../door.ts'
import type { BridgeRequest } from '../door.ts'

/** RabbitMQ moves a message that it delivered more often (20 times by default from 4.0): restarts of bridges count, too. */
const maxDeliveries = 1_000

/**
 * Makes sure that the queue and its dead-letter queue exist.
 * @param create creates what is missing: quorum queues, which keep messages over the loss of a server and count deliveries
 * @throws TallyError PRECONDITION_FAILED naming a missing queue; DENIED; UNREACHABLE
 */
export async function ensureQueues(access: RabbitmqAccess, request: BridgeRequest, create: boolean): Promise<void> {
  const dead = deadLetterOf(request)
  const connection = await connectRabbitmq(access)
  try {
    const missing: string[] = []
    for (const queue of [request.queue, dead]) if (!(await exists(connection, queue))) missing.push(queue)
    if (missing.length > 0 && !create)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `RabbitMQ has no queue ${missing.join(' and no queue ')}: declare it, or have \`npm run bridge -- rabbitmq --queue ${request.queue} --create\` do so`,
      )
    for (const queue of missing.toReversed()) {
      const channel = await connection.createChannel()
      // What RabbitMQ itself gives up (a time to live, a limit of deliveries) goes to the same place
      const native = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead }
      const args = { 'x-queue-type': 'quorum', 'x-delivery-limit': maxDeliveries, ...(queue !== dead && native) }
      await channel.assertQueue(queue, { durable: true, arguments: args })
      await channel.close()
    }
  } catch (error) {
    throw connectionError(error)
  } finally {
    await closeRabbitmq(connection)
  }
}

/** A question about a queue that does not exist closes its channel. */
async function exists(connection: ChannelModel, queue: string): Promise<boolean> {
  const channel = await connection.createChannel()
  channel.on('error', () => {})
  try {
    await channel.checkQueue(queue)
    await channel.close()
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return false
    throw error
  }
}
