import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { QueueServer } from '../../../infra/queue-settings.ts'
import { drainRabbitmqQueue } from '../../../infra/rabbitmq/drain.ts'
import { createSqs } from '../../../infra/sqs/client.ts'
import { drainSqsQueue } from '../../../infra/sqs/drain.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'
import { openDrainedIds } from './drained-ids.ts'

/** A queue with the events that the forwarder of its server handed over, and that nothing else reads. */
export interface EventQueue {
  readonly server: QueueServer
  readonly queue: string
}

/**
 * Takes all messages out of a queue. Their ids are on disk before a message is acknowledged, so that a repeated comparison
 * knows those of an earlier one, and one that was killed loses none.
 * @returns how often each event came out of the queue, in this run and earlier ones, by its id in lower case
 * @throws TallyError CONFIG_INVALID if the server is not configured; PRECONDITION_FAILED for a message that is no event, or a
 *   queue that others read: the message stays; DENIED; UNREACHABLE
 */
export async function drainEvents(config: Config, { server, queue }: EventQueue): Promise<Map<string, number>> {
  using drained = openDrainedIds(config.dataDir, `${config.namespace}${server}-${queue}`)
  const take = (ids: readonly (string | undefined)[]) => {
    const events = ids.filter((id) => id !== undefined)
    if (events.length < ids.length) throw refusal(queue, 'has messages that are no CloudEvents')
    drained.append(events.map((id) => id.toLowerCase()))
  }
  if (server === 'rabbitmq') await drainRabbitmq(config, queue, take)
  else await drainSqs(config, queue, take)
  return drained.counts()
}

type Take = (ids: readonly (string | undefined)[]) => void

async function drainRabbitmq({ rabbitmq: { url } }: Config, queue: string, take: Take): Promise<void> {
  if (url === undefined)
    throw new TallyError('CONFIG_INVALID', 'No RabbitMQ is configured: set TALLY_RABBITMQ_URL or TALLY_QUEUE_SERVERS')
  await drainRabbitmqQueue({ url, name: 'tally/verify' }, queue, (messages, consumers) => {
    if (consumers > 0) throw refusal(queue, `has other readers (${consumers})`)
    take(messages.map(({ properties }) => textOf(properties.headers?.['cloudEvents_id'])))
  })
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

async function drainSqs({ sqs: access }: Config, queue: string, take: Take): Promise<void> {
  if (!access)
    throw new TallyError('CONFIG_INVALID', 'No Amazon SQS is configured: set TALLY_SQS_REGION or TALLY_QUEUE_SERVERS')
  const sqs = createSqs(access)
  try {
    await drainSqsQueue(sqs, await queueUrl(sqs, queue), (messages) =>
      take(messages.map(({ MessageAttributes }) => MessageAttributes?.['ce_id']?.StringValue)),
    )
  } finally {
    sqs.destroy()
  }
}

const refusal = (queue: string, why: string): TallyError =>
  new TallyError(
    'PRECONDITION_FAILED',
    `The queue ${queue} ${why}: name one that only the forwarder fills and nothing else reads. These messages stay in it`,
  )
