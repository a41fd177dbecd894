import type { Config } from '../../../infra/config.ts'
import type { QueueServer } from '../../../infra/queue-settings.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { demoQueue } from '../../demo/demo-bridge.ts'

/** The queue from which bridges take orders. */
export const inQueue = demoQueue
/** The queue to which events are forwarded. */
export const outQueue = { rabbitmq: 'tally-events', sqs: 'tally-events.fifo' } as const

/** Events that are forwarded, if not all: ElasticMQ, which keeps its messages over a kill here, is slow. */
export const forwardedTypes: Readonly<Record<QueueServer, readonly EventType[] | undefined>> = {
  rabbitmq: undefined,
  sqs: ['OrderPlaced', 'PaymentCaptured', 'ShipmentScheduled'],
}

/** Has events forwarded to the queues. */
export const forwardSettings = (doors: readonly QueueServer[]): Record<string, string> => ({
  ...(doors.includes('rabbitmq') && { TALLY_FORWARD_RABBITMQ: `queue:${outQueue.rabbitmq}` }),
  ...(doors.includes('sqs') && {
    TALLY_FORWARD_SQS: outQueue.sqs,
    TALLY_FORWARD_SQS_EVENTS: forwardedTypes.sqs?.join(',') ?? '',
  }),
})

/** The port on which a queue server listens. */
export const portOf = ({ ports }: Config, door: QueueServer): number =>
  ({ rabbitmq: ports.amqp, sqs: ports.elasticmq })[door]

/** Whether a process serves a queue, or stands between one and the pipeline. */
export const isOfQueue = (process: string): boolean => /^(rabbitmq$|elasticmq$|bridge-|forward-)/.test(process)
