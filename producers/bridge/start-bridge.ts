import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Meter } from '../../infra/monitor/meters.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import type { Running } from '../../infra/service.ts'
import { createPlaceOrder } from '../orders-api/orders/placing/place-order.ts'
import { startOrderWriting } from '../orders-api/start-order-writing.ts'
import type { BridgeRequest, Door, DoorOptions } from './door.ts'
import { storedAttempts } from './attempts.ts'
import { createIntake } from './intake.ts'
import { openRabbitmqDoor } from './rabbitmq/rabbitmq-door.ts'
import { ensureQueues as ensureRabbitmqQueues } from './rabbitmq/queues.ts'
import { sourceOf } from './message-key.ts'
import { createAvroOrders } from './reading/avro-orders.ts'
import { openSqsDoor } from './sqs/sqs-door.ts'
import { ensureQueues as ensureSqsQueues } from './sqs/queues.ts'

export interface BridgeOptions {
  config: Config
  request: BridgeRequest
  /** Unique name of this process. */
  replica: string
  log: Logger
  meter?: Meter | undefined
  tracer?: Tracer | undefined
}

/** Messages in work have this long to be settled when the bridge ends, ms. */
const drainMs = 4_000

/**
 * Checks that the queues exist and may be used.
 * @param create creates those that are missing
 * @throws TallyError CONFIG_INVALID if the server is not configured; PRECONDITION_FAILED naming what is missing; DENIED;
 * UNREACHABLE
 */
export async function ensureQueues(config: Config, request: BridgeRequest, create = false): Promise<void> {
  if (request.door === 'rabbitmq')
    await ensureRabbitmqQueues({ url: rabbitmqUrl(config), name: 'tally/bridge check' }, request, create)
  else await ensureSqsQueues(sqsAccess(config), request, create)
}

/** Takes orders from a queue and places them as the orders API does. Kafka may be unavailable. */
export async function startBridge(options: BridgeOptions): Promise<Running & Pick<Door, 'ended'>> {
  const { config, request, replica, log, meter, tracer } = options
  const ending = new AbortController()
  const writing = await startOrderWriting({ config, replica, log, meter, tracer })
  const intake = createIntake({
    source: sourceOf(request),
    place: createPlaceOrder(writing.placing),
    avro: createAvroOrders(config.registry.url),
    attempts: storedAttempts(writing.pool),
    log,
    signal: ending.signal,
  })
  const count = meter?.counter('tally_bridge_messages_total', 'Messages settled at the queue', ['queue', 'outcome'])
  const door = await openDoor(config, replica, {
    ...{ request, intake, log },
    onSettled: (outcome) => count?.(1, { queue: request.queue, outcome }),
  })
  return {
    ended: door.ended,
    checks: { ...writing.checks, queue: () => door.trouble() },
    async stop() {
      const stopped = door.stop(drainMs)
      setTimeout(() => ending.abort(), drainMs / 2).unref() // What waits for a server has waited long enough
      await stopped
      ending.abort()
      await writing.stop()
    },
  }
}

const openDoor = async (config: Config, replica: string, options: DoorOptions): Promise<Door> =>
  options.request.door === 'rabbitmq'
    ? openRabbitmqDoor({ ...options, url: rabbitmqUrl(config), name: `tally/${replica}` })
    : openSqsDoor({ ...options, access: sqsAccess(config) })

function rabbitmqUrl({ rabbitmq }: Config): string {
  if (rabbitmq.url !== undefined) return rabbitmq.url
  throw new TallyError('CONFIG_INVALID', 'No RabbitMQ is configured: set TALLY_RABBITMQ_URL or TALLY_QUEUE_SERVERS')
}

function sqsAccess({ sqs }: Config): NonNullable<Config['sqs']> {
  if (sqs) return sqs
  throw new TallyError('CONFIG_INVALID', 'No Amazon SQS is configured: set TALLY_SQS_REGION or TALLY_QUEUE_SERVERS')
}
