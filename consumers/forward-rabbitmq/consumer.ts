import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { RabbitmqPublisher } from '../../infra/rabbitmq/publisher.ts'
import { defineForwarder } from '../forwarding/define-forwarder.ts'
import { rabbitmqQueue } from './rabbitmq-queue.ts'

/** Hands events to an exchange or a queue of RabbitMQ. */
export default ({ rabbitmq: { url, forward } }: Config) => {
  if (url === undefined || forward === undefined)
    throw new TallyError('CONFIG_INVALID', 'Configuration: TALLY_FORWARD_RABBITMQ names no exchange or queue')
  const publisher = new RabbitmqPublisher({ url, name: 'tally/forward-rabbitmq' })
  const chosen = { events: forward.events, setting: 'TALLY_FORWARD_RABBITMQ_EVENTS' }
  return defineForwarder('forward-rabbitmq', chosen, rabbitmqQueue(publisher, forward.target))
}
