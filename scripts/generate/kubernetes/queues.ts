import { toYaml } from '../yaml.ts'
import type { Declared, DeployedService } from '../deployed-services.ts'
import { userManifests } from './kafka.ts'
import { cluster } from './names.ts'
import { queuePolicy } from './network.ts'
import { secretNamesOf } from './secrets.ts'
import { deployment, disruptionBudget, scaledObject } from './workloads.ts'

const servers = ['rabbitmq', 'sqs'] as const
type Server = (typeof servers)[number]

const fromSecret = (variable: string, name: string, key: string, optional = false) => ({
  name: variable,
  valueFrom: { secretKeyRef: { name, key, ...(optional && { optional }) } },
})

/** How pods reach a queue server: Secrets that the operator makes. Without one for SQS the SDK looks for the pod's own role. */
const access = {
  rabbitmq: { settings: [], env: [fromSecret('TALLY_RABBITMQ_URL', 'rabbitmq', 'url')] },
  sqs: {
    settings: ['TALLY_SQS_REGION=eu-central-1'],
    env: [
      fromSecret('TALLY_SQS_ACCESS_KEY_ID', 'sqs', 'access-key-id', true),
      fromSecret('TALLY_SQS_SECRET_ACCESS_KEY', 'sqs', 'secret-access-key', true),
    ],
  },
} as const

const queueOf = { rabbitmq: 'orders', sqs: 'orders.fifo' } as const
const targetOf = {
  rabbitmq: 'TALLY_FORWARD_RABBITMQ=exchange:events',
  sqs: 'TALLY_FORWARD_SQS=events.fifo',
} as const

/** An optional part, which an overlay names under `components`. */
const component = (name: string, settings: readonly string[], patches: readonly object[] = []) =>
  toYaml({
    ...{ apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' },
    // As in infra/k8s/kustomization.yaml: references to it and an overlay's image count for these, too
    namespace: cluster.namespace,
    resources: ['resources.yaml'],
    images: [{ name: 'tally', newName: 'registry.example.com/tally', newTag: '0.1.0' }],
    ...(settings.length > 0 && { configMapGenerator: [{ name, literals: settings }] }),
    ...(patches.length > 0 && { patches }),
  })

const add = (path: string, value: unknown) => ({ op: 'add', path, value })
const patch = (kind: string, name: string, operations: readonly object[]) => ({
  target: { kind, name },
  patch: JSON.stringify(operations),
})

/** A bridge stores orders as the orders API does, so it logs in as that. */
function bridge(server: Server, declared: Declared): Record<string, string> {
  const api = declared.services.find(({ isApi }) => isApi) as DeployedService
  const name = `bridge-${server}`
  const command = ['scripts/bridge.ts', server, '--queue', queueOf[server]]
  const own: DeployedService = { ...api, name, command, isApi: false, principal: api.name }
  const { settings, env } = access[server]
  return {
    [`${name}/kustomization`]: component(name, settings),
    [`${name}/resources`]: toYaml(
      deployment(own, declared, { env, settings: settings.length > 0 ? name : undefined, replicas: 2 }),
      disruptionBudget(name),
      queuePolicy(name, server),
    ),
  }
}

/** The Job that prepares tables and roles learns the setting, too, and the database gets the role. */
function forwarder(server: Server, declared: Declared): Record<string, string> {
  const own = declared.forwarders.find(({ name }) => name === `forward-${server}`) as DeployedService
  const { name, role } = own
  const { settings, env } = access[server]
  const login = { name: role, ensure: 'present', login: true, passwordSecret: { name: secretNamesOf.database(name) } }
  const container = '/spec/template/spec/containers/0'
  return {
    [`${name}/kustomization`]: component(
      name,
      [...settings, targetOf[server]],
      [
        patch('Cluster', cluster.database, [
          add('/spec/managed/roles/-', login),
          add('/spec/managed/roles/0/inRoles/-', role),
        ]),
        patch('Job', 'deploy', [
          add(`${container}/envFrom/-`, { configMapRef: { name } }),
          ...env.map((each) => add(`${container}/env/-`, each)),
        ]),
      ],
    ),
    [`${name}/resources`]: toYaml(
      ...userManifests({ ...declared, services: [own] }).slice(1), // Without the operator's
      deployment(own, declared, { env, settings: name }),
      disruptionBudget(name),
      scaledObject(name, declared),
      queuePolicy(name, server),
    ),
  }
}

/** Bridges and forwarders as components, by file. */
export const queueComponents = (declared: Declared): Record<string, string> =>
  Object.assign({}, ...servers.flatMap((server) => [bridge(server, declared), forwarder(server, declared)]))
