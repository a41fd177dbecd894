import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import type { ChannelModel } from 'amqplib'
import type { Config } from '../../../infra/config.ts'
import { findingsOf } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'
import { closeRabbitmq, connectRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import { createSqs, sqsError } from '../../../infra/sqs/client.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'

/** Whether RabbitMQ lets this process in and has what events are forwarded to. Without its URL none is used. */
export async function checkRabbitmq({ rabbitmq: { url, forward } }: Config): Promise<readonly Finding[]> {
  if (url === undefined) return []
  const cure = 'Start it, or correct TALLY_RABBITMQ_URL'
  const login = 'Correct user, password and virtual host in TALLY_RABBITMQ_URL'
  return findingsOf({ area: 'rabbitmq', cure, login }, async () => {
    const connection = await connectRabbitmq({ url, name: 'tally/doctor' })
    try {
      if (!forward || (await exists(connection, forward.target))) return []
      const [[what, name] = []] = Object.entries(forward.target)
      return [
        {
          ...{ area: 'rabbitmq', problem: `RabbitMQ has no ${what} ${name}, to which events are forwarded` },
          cure: 'Declare it, or correct TALLY_FORWARD_RABBITMQ',
        },
      ]
    } finally {
      await closeRabbitmq(connection)
    }
  })
}

type Target = NonNullable<Config['rabbitmq']['forward']>['target']

/** A question about what does not exist closes its channel. */
async function exists(connection: ChannelModel, target: Target): Promise<boolean> {
  const channel = await connection.createChannel()
  channel.on('error', () => {})
  try {
    await (target.queue === undefined ? channel.checkExchange(target.exchange) : channel.checkQueue(target.queue))
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 404) return false
    throw error
  }
}

/** Whether Amazon SQS lets this process in and has the queue to which events are forwarded. */
export async function checkSqs({ sqs: access }: Config): Promise<readonly Finding[]> {
  if (!access) return []
  const cure = 'Correct the settings TALLY_SQS_…, or TALLY_FORWARD_SQS'
  return findingsOf({ area: 'sqs', cure }, async () => {
    const sqs = createSqs(access)
    try {
      if (access.forward) await queueUrl(sqs, access.forward.queue)
      else await sqs.send(new ListQueuesCommand({ MaxResults: 1 })).catch(unlessForbidden)
      return []
    } finally {
      sqs.destroy()
    }
  })
}

/** A known user who may not list queues may still use one. */
function unlessForbidden(error: unknown): void {
  if (!(error instanceof Error && error.name.startsWith('AccessDenied'))) throw sqsError(error)
}
