import { aclsOf } from '../../../consumers/operations/access/acls.ts'
import type { Acl } from '../../../consumers/operations/access/acls.ts'
import { topicConfig } from '../../../consumers/operations/partitions/generation-topics.ts'
import { topics } from '../../../schemas/topics.ts'
import type { Declared } from '../deployed-services.ts'
import { cluster } from './names.ts'

const api = 'kafka.strimzi.io/v1'
const labels = { 'strimzi.io/cluster': cluster.kafka }

/** As many copies as a deployment by `npm run deploy` makes on three brokers. */
const copies = 3

/** The topics, as `npm run deploy -- topics` creates them. */
export const topicManifests = ({ config }: Declared): object[] =>
  topics.map((topic) => {
    const { topic: name, numPartitions, configEntries = [] } = topicConfig(topic, config, copies)
    return {
      ...{ apiVersion: api, kind: 'KafkaTopic', metadata: { name, labels } },
      spec: {
        ...{ partitions: numPartitions, replicas: copies },
        config: Object.fromEntries(configEntries.map((entry) => [entry.name, valueOf(entry.value)])),
      },
    }
  })

const valueOf = (value: string) => (/^\d+$/.test(value) ? Number(value) : value)

/** A user per service with the rights that its code declares, and the operator, who is a super user. */
export function userManifests({ services, config }: Declared): object[] {
  const user = (name: string, authorization?: object) => ({
    ...{ apiVersion: api, kind: 'KafkaUser', metadata: { name, labels } },
    spec: { authentication: { type: 'tls' }, ...(authorization && { authorization }) },
  })
  return [
    user('admin'),
    ...services.map(({ name, rights }) =>
      user(name, { type: 'simple', acls: aclsOf([rights], config.namespace).map(aclOf) }),
    ),
  ]
}

const aclOf = ({ kind, name, pattern, operation }: Acl) => ({
  resource: { type: kind, name, patternType: pattern === 'literal' ? 'literal' : 'prefix' },
  operations: [operation],
})
