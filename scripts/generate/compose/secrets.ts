import type { SecretNames } from '../../../consumers/operations/access/secret-files.ts'
import type { Declared, Surroundings } from '../deployed-services.ts'

export const brokers = ['kafka-1', 'kafka-2', 'kafka-3'] as const

/** As which deployment steps and operators' commands log in. */
export const operator = 'admin'

/** The files that the composition needs: `npm run secrets` makes them. */
export const secretNames = ({ services, forwarders }: Declared): SecretNames => ({
  servers: { kafka: [...brokers], database: ['database'] },
  clients: [operator, ...[...services, ...forwarders].map(({ name }) => name)],
  passwords: [operator, 'registry', 'grafana', 'rabbitmq', ...[...services, ...forwarders].map(({ name }) => name)],
  derived: {
    'registry.properties': registryProperties,
    'rabbitmq.conf': (read) => `default_user = tally\ndefault_pass = ${read('rabbitmq.password')}\n`,
    'rabbitmq.url': (read) => `amqp://tally:${read('rabbitmq.password')}@rabbitmq:5672/`,
  },
})

/** Without a compatibility rule the registry checks nothing, and not every name works as an environment variable. */
const registryProperties = (read: (name: string) => string): string =>
  [
    `apicurio.datasource.password=${read('registry.password')}`,
    'apicurio.rules.global.compatibility=BACKWARD',
    'apicurio.rules.global.validity=FULL',
    '',
  ].join('\n')

const at = (file: string): string => `/run/secrets/${file}`

export const surroundings: Surroundings = {
  kafka: brokers.map((name) => `${name}:9092`).join(','),
  database: 'database:5432',
  registryUrl: 'http://registry:8080/apis/ccompat/v7',
  authorities: [at('authority.crt')],
  certificate: (principal) => at(`${principal}.crt`),
  key: (principal) => at(`${principal}.key`),
  databasePassword: (principal) => at(`${principal}.password`),
}

/** Files of a principal that its container may read. */
export const secretsOf = (principal: string): string[] => [
  'authority.crt',
  `${principal}.crt`,
  `${principal}.key`,
  `${principal}.password`,
]
