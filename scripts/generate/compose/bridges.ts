import { environmentOf } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { lasting, migrated, outside } from './pipeline.ts'
import { secretsOf, surroundings } from './secrets.ts'

/** How containers reach the queue servers. */
export const access = {
  rabbitmq: { environment: { TALLY_RABBITMQ_URL_FILE: '/run/secrets/rabbitmq.url' }, secrets: ['rabbitmq.url'] },
  // ElasticMQ takes any key
  sqs: {
    environment: {
      TALLY_SQS_ENDPOINT: 'http://elasticmq:9324',
      TALLY_SQS_REGION: 'elasticmq',
      TALLY_SQS_ACCESS_KEY_ID: 'tally',
      TALLY_SQS_SECRET_ACCESS_KEY: 'tally',
    },
    secrets: [],
  },
} as const

/** A bridge stores orders as the orders API does, so it has its rights. */
const bridge = (
  door: string,
  queue: string,
  more: object,
  secrets: readonly string[],
  { config, services }: Declared,
) => {
  const api = services.find(({ isApi }) => isApi)
  const name = api?.name ?? ''
  return {
    ...lasting,
    profiles: [door],
    command: ['scripts/bridge.ts', door, '--queue', queue, '--create'],
    environment: {
      ...environmentOf({ principal: name, role: api?.role ?? '' }, config, surroundings),
      ...outside,
      ...more,
    },
    secrets: [...secretsOf(name), ...secrets],
    depends_on: migrated,
    networks: ['inside'],
  }
}

/** RabbitMQ and ElasticMQ, each with a bridge, if their profile is asked for. */
export const bridgesOf = (declared: Declared) => ({
  rabbitmq: {
    image: 'rabbitmq:4.1-management',
    ...{ profiles: ['rabbitmq'], restart: 'unless-stopped' },
    environment: { RABBITMQ_CONFIG_FILE: '/run/secrets/rabbitmq.conf' },
    secrets: ['rabbitmq.conf'],
    volumes: ['rabbitmq:/var/lib/rabbitmq'],
    networks: ['inside'],
  },
  'bridge-rabbitmq': bridge('rabbitmq', 'orders', access.rabbitmq.environment, access.rabbitmq.secrets, declared),
  elasticmq: {
    image: 'softwaremill/elasticmq-native:1.6.14',
    ...{ profiles: ['sqs'], restart: 'unless-stopped' },
    networks: ['inside'],
  },
  'bridge-sqs': bridge('sqs', 'orders.fifo', access.sqs.environment, access.sqs.secrets, declared),
})
