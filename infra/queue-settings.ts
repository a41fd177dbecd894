import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { stackCredentials } from './security/stack-credentials.ts'

/** The message queues that the stack can run beside Kafka. */
export const queueServers = ['rabbitmq', 'sqs'] as const
export type QueueServer = (typeof queueServers)[number]

/** The settings of the message queues from which orders come in and to which events go out. */
export const queueSettings = {
  TALLY_QUEUE_SERVERS: z
    .string()
    .regex(/^(rabbitmq|sqs)(,(rabbitmq|sqs))*$/, 'rabbitmq, sqs or both, separated by a comma')
    .optional()
    .meta({
      section: 'Message queues',
      otherwise: 'none',
      description:
        'Queue servers that the stack runs, separated by a comma: `rabbitmq` (the installed `rabbitmq-server`) and `sqs` (ElasticMQ).',
    }),
  TALLY_RABBITMQ_URL: z
    .url({ protocol: /^amqps?$/ })
    .optional()
    .meta({
      secret: true,
      otherwise: 'the RabbitMQ of the stack, if it runs one',
      description:
        'RabbitMQ, as `amqp://user:password@host:port/vhost`; with `amqps` by TLS. The certificate of the server is always verified.',
    }),
  TALLY_SQS_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      otherwise: 'the ElasticMQ of the stack, if it runs one; else that of AWS in the region',
      description: 'Endpoint of Amazon SQS or of a server with its API.',
    }),
  TALLY_SQS_REGION: z.string().min(1).optional().meta({
    otherwise: 'none: Amazon SQS is not used',
    description: 'AWS region of the queues.',
  }),
  TALLY_SQS_ACCESS_KEY_ID: z.string().min(1).optional().meta({
    otherwise: 'what the AWS SDK finds: environment, shared files, role of the machine',
    description: 'Access key for Amazon SQS.',
  }),
  TALLY_SQS_SECRET_ACCESS_KEY: z.string().min(1).optional().meta({
    secret: true,
    description: 'Secret of the access key.',
  }),
  TALLY_FORWARD_RABBITMQ: z
    .string()
    .regex(/^(exchange|queue):./, 'exchange:<name> or queue:<name>')
    .optional()
    .meta({
      otherwise: 'none: no events are forwarded to RabbitMQ',
      description:
        'Where events are forwarded in RabbitMQ, as `exchange:<name>` (routing key: the order id) or `queue:<name>`.',
    }),
  TALLY_FORWARD_RABBITMQ_EVENTS: z.string().min(1).optional().meta({
    otherwise: 'all',
    description: 'Types of the events to forward there, separated by commas.',
  }),
  TALLY_FORWARD_SQS: z.string().min(1).optional().meta({
    otherwise: 'none: no events are forwarded to Amazon SQS',
    description: 'Queue to which events are forwarded in Amazon SQS, by its name or URL.',
  }),
  TALLY_FORWARD_SQS_EVENTS: z.string().min(1).optional().meta({
    otherwise: 'all',
    description: 'Types of the events to forward there, separated by commas.',
  }),
}

type Given = z.infer<z.ZodObject<typeof queueSettings>>

/** Settings that exclude or need each other. */
export function* queueContradictions(env: Given): Generator<readonly [variable: keyof Given, message: string]> {
  const embedded = embeddedQueues(env)
  if (embedded.includes('rabbitmq') && env.TALLY_RABBITMQ_URL !== undefined)
    yield ['TALLY_RABBITMQ_URL', 'names a server, and TALLY_QUEUE_SERVERS has the stack run one: keep one of them']
  if (embedded.includes('sqs') && env.TALLY_SQS_ENDPOINT !== undefined)
    yield ['TALLY_SQS_ENDPOINT', 'names a server, and TALLY_QUEUE_SERVERS has the stack run one: keep one of them']
  if (env.TALLY_SQS_ENDPOINT !== undefined && env.TALLY_SQS_REGION === undefined)
    yield ['TALLY_SQS_REGION', 'is needed with TALLY_SQS_ENDPOINT: requests are signed for a region']
  if ((env.TALLY_SQS_ACCESS_KEY_ID === undefined) !== (env.TALLY_SQS_SECRET_ACCESS_KEY === undefined))
    yield ['TALLY_SQS_SECRET_ACCESS_KEY', 'key and secret are set together or not at all']
  if (
    env.TALLY_FORWARD_RABBITMQ !== undefined &&
    env.TALLY_RABBITMQ_URL === undefined &&
    !embedded.includes('rabbitmq')
  )
    yield ['TALLY_FORWARD_RABBITMQ', 'needs TALLY_RABBITMQ_URL, or rabbitmq in TALLY_QUEUE_SERVERS']
  if (env.TALLY_FORWARD_SQS !== undefined && env.TALLY_SQS_REGION === undefined && !embedded.includes('sqs'))
    yield ['TALLY_FORWARD_SQS', 'needs TALLY_SQS_REGION, or sqs in TALLY_QUEUE_SERVERS']
}

const embeddedQueues = (env: Given): QueueServer[] =>
  queueServers.filter((name) => env.TALLY_QUEUE_SERVERS?.split(',').includes(name))

/** Where the password of the embedded RabbitMQ is kept, readable by the owner only. */
export const rabbitmqPasswordFile = (dataDir: string): string => join(dataDir, 'rabbitmq.password')
export const rabbitmqUser = 'tally'

/**
 * The queues that a process may use.
 * @param at the port at a distance from the first one
 */
export function queueAccess(env: Given, dataDir: string, at: (distance: number) => number) {
  const embedded = embeddedQueues(env)
  const own = { rabbitmq: embedded.includes('rabbitmq'), sqs: embedded.includes('sqs') }
  const ports = { epmd: at(70), distribution: at(71), amqp: at(72), management: at(73), elasticmq: at(74) }
  const region = env.TALLY_SQS_REGION ?? (own.sqs ? 'elasticmq' : undefined)
  const { TALLY_SQS_ACCESS_KEY_ID: accessKeyId, TALLY_SQS_SECRET_ACCESS_KEY: secretAccessKey } = env
  const key = accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined
  return {
    queuePorts: ports,
    rabbitmq: {
      embedded: own.rabbitmq,
      /** Undefined: no RabbitMQ is used. */
      url: env.TALLY_RABBITMQ_URL ?? (own.rabbitmq ? embeddedRabbitmqUrl(dataDir, ports.amqp) : undefined),
      forward: rabbitmqForward(env),
    },
    /** Undefined: no SQS is used. */
    sqs:
      region === undefined
        ? undefined
        : {
            embedded: own.sqs,
            region,
            /** Undefined: that of AWS. */
            endpoint: env.TALLY_SQS_ENDPOINT ?? (own.sqs ? `http://127.0.0.1:${ports.elasticmq}` : undefined),
            /** Undefined: the SDK looks for them. ElasticMQ accepts any. */
            credentials: key ?? (own.sqs ? { accessKeyId: 'tally', secretAccessKey: 'tally' } : undefined),
            forward: env.TALLY_FORWARD_SQS
              ? { queue: env.TALLY_FORWARD_SQS, events: env.TALLY_FORWARD_SQS_EVENTS }
              : undefined,
          },
  }
}

function embeddedRabbitmqUrl(dataDir: string, port: number): string {
  const path = rabbitmqPasswordFile(dataDir)
  const password = existsSync(path) ? readFileSync(path, 'utf8') : '' // Not started yet: the connection attempt reports it
  return `${stackCredentials(dataDir) ? 'amqps' : 'amqp'}://${rabbitmqUser}:${password}@127.0.0.1:${port}`
}

function rabbitmqForward({ TALLY_FORWARD_RABBITMQ: to, TALLY_FORWARD_RABBITMQ_EVENTS: events }: Given) {
  if (to === undefined) return undefined
  const name = to.slice(to.indexOf(':') + 1)
  return { target: to.startsWith('queue:') ? { queue: name } : { exchange: name }, events }
}

const settingOf = { 'forward-rabbitmq': 'TALLY_FORWARD_RABBITMQ', 'forward-sqs': 'TALLY_FORWARD_SQS' } as const

/** Consumers that run only where a setting says where to. */
export const forwarders = Object.keys(settingOf) as (keyof typeof settingOf)[]

/** Whether an environment has the setting without which a consumer has nothing to do. */
export const isWanted = (consumer: string, env: Readonly<Record<string, unknown>>): boolean =>
  !(consumer in settingOf) || Boolean(env[settingOf[consumer as keyof typeof settingOf]])
