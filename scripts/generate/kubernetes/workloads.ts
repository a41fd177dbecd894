import { apiEnvironment, environmentOf, ports } from '../deployed-services.ts'
import type { Declared, DeployedService } from '../deployed-services.ts'
import { containerSecurity, podSecurity, secretFile, secretVolumes, surroundings, variables } from './names.ts'
import { secretNamesOf } from './secrets.ts'

export const labelsOf = (name: string) => ({ 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'tally' })

const probe = (path: string, more: object) => ({
  httpGet: { path, port: 'monitor' },
  ...{ timeoutSeconds: 2, ...more },
})

/**
 * A service drains within ten seconds after SIGTERM. The orders API first keeps serving for a while, because clients still
 * send to a pod that has just been told to end.
 */
const drain = (isApi: boolean) => ({
  terminationGracePeriodSeconds: 30,
  lifecycle: { preStop: { sleep: { seconds: isApi ? 10 : 1 } } },
})

/** What an optional service has besides. */
interface More {
  readonly env: readonly object[]
  /** Name of a ConfigMap. */
  readonly settings?: string | undefined
  /** @default an autoscaler decides */
  readonly replicas?: number
}

export function deployment(own: DeployedService, { config }: Declared, more?: More): object {
  const { name, role, isApi, principal = name } = own
  const { volumes, volumeMounts } = secretVolumes(principal, secretNamesOf.database(principal))
  const tokenKey = secretFile('token', secretNamesOf.tokenKey)
  const { terminationGracePeriodSeconds, lifecycle } = drain(isApi)
  const { TALLY_API_ALLOWED_HOSTS: _, ...guarded } = apiEnvironment('/run/secrets/token/token.pub', [])
  return {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: labelsOf(name) } },
    spec: {
      // An autoscaler decides how many replicas a consumer has
      ...(isApi && { replicas: 3 }),
      ...(more?.replicas !== undefined && { replicas: more.replicas }),
      selector: { matchLabels: labelsOf(name) },
      // One at a time, and each new one is ready before an old one leaves
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: labelsOf(name) },
        spec: {
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds,
          securityContext: podSecurity,
          topologySpreadConstraints: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
            ...{ maxSkew: 1, topologyKey, whenUnsatisfiable: 'ScheduleAnyway' },
            labelSelector: { matchLabels: labelsOf(name) },
          })),
          containers: [
            {
              ...{ name: 'service', image: 'tally', args: own.command },
              env: [
                ...variables({ ...environmentOf({ principal, role }, config, surroundings), ...(isApi && guarded) }),
                ...(more?.env ?? []),
              ],
              envFrom: ['tally', ...(more?.settings ? [more.settings] : [])].map((map) => ({
                configMapRef: { name: map },
              })),
              ports: [
                ...(isApi ? [{ name: 'api', containerPort: ports.api }] : []),
                { name: 'monitor', containerPort: ports.monitor },
              ],
              startupProbe: probe('/live', { periodSeconds: 2, failureThreshold: 30 }),
              livenessProbe: probe('/live', { periodSeconds: 10, failureThreshold: 3 }),
              readinessProbe: probe('/ready', { periodSeconds: 3, failureThreshold: 3 }),
              lifecycle,
              resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '768Mi' } },
              securityContext: containerSecurity,
              volumeMounts: [...volumeMounts, ...(isApi ? [tokenKey.volumeMount] : [])],
            },
          ],
          volumes: [...volumes, ...(isApi ? [tokenKey.volume] : [])],
        },
      },
    },
  }
}

export const disruptionBudget = (name: string) => ({
  ...{ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, labels: labelsOf(name) } },
  spec: { maxUnavailable: 1, selector: { matchLabels: labelsOf(name) } },
})

/** Events that wait for each replica before another one is added. */
const eventsPerReplica = 5_000

/** By our own lag. A lane has one owner, so there are never more replicas than lanes. */
export const scaledObject = (name: string, { config }: Declared) => ({
  ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name, labels: labelsOf(name) } },
  spec: {
    scaleTargetRef: { name },
    ...{ minReplicaCount: 2, maxReplicaCount: config.partitions, pollingInterval: 15, cooldownPeriod: 300 },
    // Every change of the number moves lanes
    advanced: {
      horizontalPodAutoscalerConfig: {
        behavior: {
          scaleUp: { stabilizationWindowSeconds: 30, policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] },
          scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] },
        },
      },
    },
    // Without the figure the number stays as it is
    fallback: { failureThreshold: 4, replicas: 2, behavior: 'currentReplicasIfHigher' },
    triggers: [
      {
        type: 'prometheus',
        metricType: 'AverageValue',
        metadata: {
          serverAddress: 'http://prometheus.tally.svc:9090',
          query: `sum(tally_lane_lag_events{job="${name}"})`,
          threshold: String(eventsPerReplica),
        },
      },
    ],
  },
})

const apiService = (name: string) => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name, labels: labelsOf(name) } },
  spec: { selector: labelsOf(name), ports: [{ name: 'api', port: 80, targetPort: 'api' }] },
})

/** Everything of one service. */
export const workloadOf = (own: DeployedService, declared: Declared): object[] => [
  deployment(own, declared),
  disruptionBudget(own.name),
  own.isApi ? apiService(own.name) : scaledObject(own.name, declared),
]
