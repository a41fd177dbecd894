import { ports } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { cluster, kafkaPort } from './names.ts'
import { labelsOf } from './workloads.ts'

const tcp = (...numbers: readonly number[]) => numbers.map((port) => ({ protocol: 'TCP', port }))
const pods = (matchLabels: Readonly<Record<string, string>>) => [{ podSelector: { matchLabels } }]

const kafka = { 'strimzi.io/cluster': cluster.kafka }
const database = { 'cnpg.io/cluster': cluster.database }
const registry = labelsOf('registry')
const prometheus = labelsOf('prometheus')

const policy = (name: string, spec: object) => ({
  ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name } },
  spec,
})
const dns = { ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)] }
/** Anything outside the cluster's private addresses, by HTTPS. */
const internet = {
  to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] } }],
  ports: tcp(443),
}
const servers = [
  { to: pods(kafka), ports: tcp(kafkaPort) },
  { to: pods(database), ports: tcp(ports.database) },
  { to: pods(registry), ports: tcp(ports.registry) },
]
const monitored = { from: pods(prometheus), ports: tcp(ports.monitor) }

/** Of a bridge or forwarder. RabbitMQ may be in this cluster or outside, with TLS or without; Amazon SQS is outside. */
export const queuePolicy = (name: string, server: 'rabbitmq' | 'sqs'): object =>
  policy(name, {
    podSelector: { matchLabels: labelsOf(name) },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [monitored],
    egress: [dns, ...servers, server === 'rabbitmq' ? { ports: tcp(5671, 5672) } : internet],
  })

/**
 * Nothing may be reached but what follows. Pods of the operators (Strimzi, CloudNativePG, KEDA) are in namespaces of their own
 * and manage their servers; Strimzi makes the policies of the brokers itself.
 */
export function networkPolicies({ services }: Declared): object[] {
  const consumers = services.filter(({ isApi }) => !isApi)
  return [
    policy('default-deny', {
      podSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'tally' } },
      policyTypes: ['Ingress', 'Egress'],
    }),
    ...services
      .filter(({ isApi }) => isApi)
      .map(({ name }) =>
        policy(name, {
          podSelector: { matchLabels: labelsOf(name) },
          policyTypes: ['Ingress', 'Egress'],
          // Everybody who has a token: from the ingress, and from other services of the cluster
          ingress: [{ ports: tcp(ports.api) }, monitored],
          egress: [dns, ...servers, internet],
        }),
      ),
    policy('consumers', {
      podSelector: {
        matchLabels: { 'app.kubernetes.io/part-of': 'tally' },
        matchExpressions: [
          { key: 'app.kubernetes.io/name', operator: 'In', values: consumers.map(({ name }) => name) },
        ],
      },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [monitored],
      egress: [dns, ...servers, internet],
    }),
    policy('deploy', {
      podSelector: { matchLabels: labelsOf('deploy') },
      policyTypes: ['Ingress', 'Egress'],
      egress: [dns, ...servers],
    }),
    policy('registry', {
      podSelector: { matchLabels: registry },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: pods({ 'app.kubernetes.io/part-of': 'tally' }), ports: tcp(ports.registry) }],
      egress: [dns, { to: pods(database), ports: tcp(ports.database) }],
    }),
    policy('prometheus', {
      podSelector: { matchLabels: prometheus },
      policyTypes: ['Ingress', 'Egress'],
      // KEDA asks from its own namespace
      ingress: [{ ports: tcp(9090) }],
      egress: [
        dns,
        { to: pods({ 'app.kubernetes.io/part-of': 'tally' }), ports: tcp(ports.monitor) },
        { ports: tcp(443, 6443) }, // The API server, from which it learns the pods
      ],
    }),
  ]
}
