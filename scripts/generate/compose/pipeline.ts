import { apiEnvironment, environmentOf, ports } from '../deployed-services.ts'
import type { Declared, DeployedService } from '../deployed-services.ts'
import { brokers, operator, secretsOf, surroundings } from './secrets.ts'

/** Of every container of ours. */
export const hardened = {
  image: '${TALLY_IMAGE:-tally}',
  build: { context: '../..', dockerfile: 'infra/docker/Dockerfile' },
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
}

/** A service drains within ten seconds. */
export const lasting = { ...hardened, restart: 'unless-stopped', mem_limit: '768m', stop_grace_period: '15s' }

export const outside = {
  TALLY_GATEWAY_URL: '${TALLY_GATEWAY_URL:-http://gateway:8090}',
  TALLY_CARRIER_URL: '${TALLY_CARRIER_URL:-http://carrier:8091}',
}

export const migrated = { deploy: { condition: 'service_completed_successfully' } }

export const service = (own: DeployedService, { config }: Declared) => ({
  ...lasting,
  command: own.command,
  environment: {
    ...environmentOf({ principal: own.name, role: own.role }, config, surroundings),
    ...(own.isApi && apiEnvironment('/run/secrets/token.pub', ['localhost', '127.0.0.1', own.name])),
    ...outside,
  },
  secrets: [...secretsOf(own.name), ...(own.isApi ? ['token.pub'] : [])],
  depends_on: migrated,
  networks: ['inside', 'outside'],
  // A free port of the host, so that there may be several: `docker compose port orders-api 8080`
  ...(own.isApi && { ports: [{ target: ports.api, host_ip: '127.0.0.1' }] }),
})

const asOperator = ({ config }: Declared) => ({
  environment: {
    ...environmentOf({ principal: operator, role: 'tally' }, config, surroundings),
    ...outside,
  },
})

/** Brings database, topics, schemas, roles and rights to what the image expects, and ends. */
export const deploy = (declared: Declared) => ({
  ...hardened,
  ...asOperator(declared),
  command: [
    ...['scripts/deploy.ts', 'database', 'topics', 'schemas', 'roles', 'acls', '--apply'],
    ...['--principal', 'User:CN={service}', '--passwords', '/run/secrets'],
  ],
  secrets: [...secretsOf(operator), ...declared.services.map(({ name }) => `${name}.password`)],
  depends_on: Object.fromEntries(
    [...brokers, 'database', 'registry'].map((name) => [name, { condition: 'service_healthy' }]),
  ),
  networks: ['inside'],
  healthcheck: { disable: true },
})

/** For operators' commands: `docker compose run --rm operate scripts/verify.ts`. */
const operate = (declared: Declared) => ({
  ...hardened,
  ...asOperator(declared),
  profiles: ['operate'],
  command: ['scripts/doctor.ts'],
  secrets: secretsOf(operator),
  networks: ['inside', 'outside'],
  healthcheck: { disable: true },
})

/** Stand-ins for the payment gateway and the carrier; their books outlast them. */
const simulator = (name: string) => ({
  ...lasting,
  command: ['infra/simulators/main.ts', name],
  environment: {
    TALLY_DATA_DIR: '/data',
    TALLY_PORT_BASE: '8000',
    TALLY_SIMULATOR_HOST: '0.0.0.0',
  },
  volumes: ['simulators:/data'],
  networks: ['inside'],
})

export const pipelineOf = (declared: Declared) => ({
  deploy: deploy(declared),
  ...Object.fromEntries(declared.services.map((own) => [own.name, service(own, declared)])),
  gateway: simulator('gateway'),
  carrier: simulator('carrier'),
  operate: operate(declared),
})
