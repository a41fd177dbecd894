import type { Surroundings } from '../deployed-services.ts'
import { ports } from '../deployed-services.ts'

/** Names that several manifests share. */
export const cluster = { kafka: 'kafka', database: 'database', namespace: 'tally' } as const

/** The TLS listener of Strimzi. */
export const kafkaPort = 9093

const secrets = '/run/secrets'

/** Strimzi and CloudNativePG make the authorities and the certificates of users; passwords are those of `npm run secrets`. */
export const surroundings: Surroundings = {
  kafka: `${cluster.kafka}-kafka-bootstrap:${kafkaPort}`,
  database: `${cluster.database}-rw:${ports.database}`,
  registryUrl: 'http://registry:8080/apis/ccompat/v7',
  authorities: [`${secrets}/kafka-ca/ca.crt`, `${secrets}/database-ca/ca.crt`],
  certificate: () => `${secrets}/kafka/user.crt`,
  key: () => `${secrets}/kafka/user.key`,
  databasePassword: () => `${secrets}/database/password`,
}

const mount = (name: string) => ({ name, mountPath: `${secrets}/${name}`, readOnly: true })
/** 0440 in decimal, as JSON has it. */
const groupMayRead = 288
const fromSecret = (name: string, secretName: string, key?: string) => ({
  name,
  secret: { secretName, defaultMode: groupMayRead, ...(key && { items: [{ key, path: key }] }) },
})

/** Mounts and volumes with the secrets of a principal. @param login name of the Secret with its password */
export const secretVolumes = (principal: string, login: string) => ({
  volumeMounts: ['kafka-ca', 'database-ca', 'kafka', 'database'].map(mount),
  volumes: [
    fromSecret('kafka-ca', `${cluster.kafka}-cluster-ca-cert`, 'ca.crt'),
    fromSecret('database-ca', `${cluster.database}-ca`, 'ca.crt'),
    fromSecret('kafka', principal),
    fromSecret('database', login, 'password'),
  ],
})

/** One more file from a Secret. */
export const secretFile = (name: string, secretName: string) => ({
  volumeMount: mount(name),
  volume: fromSecret(name, secretName),
})

export const variables = (environment: Readonly<Record<string, string>>) =>
  Object.entries(environment).map(([name, value]) => ({ name, value }))

/** Restrictions of every container of ours. The image's user is the group of the secrets. */
export const podSecurity = {
  ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532 },
  seccompProfile: { type: 'RuntimeDefault' },
}
export const containerSecurity = {
  ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
  capabilities: { drop: ['ALL'] },
}
