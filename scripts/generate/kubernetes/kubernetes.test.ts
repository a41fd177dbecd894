import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { consumersOf } from '../../../consumers/runtime/load-consumer.ts'
import { loadConfig } from '../../../infra/config.ts'
import { secretSettings, settings } from '../../../infra/settings.ts'
import { topics } from '../../../schemas/topics.ts'
import { connectionsFor, readDeclared } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'

interface Container {
  name: string
  image: string
  args?: string[]
  env?: { name: string; value?: string }[]
  envFrom?: { configMapRef: { name: string } }[]
  ports?: { name: string; containerPort: number }[]
  volumeMounts?: { name: string; mountPath: string }[]
  lifecycle?: object
  livenessProbe?: { httpGet: { path: string } }
  readinessProbe?: { httpGet: { path: string } }
  securityContext?: { readOnlyRootFilesystem?: boolean }
}
interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  spec?: {
    template?: { spec: { containers: Container[]; volumes?: { name: string; secret?: { secretName: string } }[] } }
    [key: string]: unknown
  }
}

interface Component {
  configMapGenerator?: { name: string; literals: string[] }[]
  patches?: { target: { kind: string; name: string }; patch: string }[]
}

const folder = resolve(import.meta.dirname, '../../../infra/k8s')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')
const manifestsIn = (text: string) => parseAllDocuments(text).map((each) => each.toJS() as Manifest)
const files = globSync('{*,generated/*}.yaml', { cwd: folder }).filter((file) => file !== 'kustomization.yaml')
const manifests = files.flatMap((file) => manifestsIn(read(file)))
const published = JSON.parse(read('testing/schemas.json')) as { kinds: Record<string, object>; definitions: object }
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
const schemas = new Map<string, ValidateFunction>()

/** What the published schema of its kind says against a manifest. */
function faultsOf(manifest: Manifest): string[] {
  const kind = `${manifest.apiVersion} ${manifest.kind}`
  const schema = published.kinds[kind]
  if (!schema) return [`${kind} has no schema`]
  const validate = schemas.get(kind) ?? ajv.compile({ ...schema, definitions: published.definitions })
  schemas.set(kind, validate)
  validate(manifest)
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${kind} ${manifest.metadata.name}${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}
const of = (kind: string, name?: string) =>
  manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name))
const containersOf = ({ spec }: Manifest) => spec?.template?.spec.containers ?? []

describe('the manifests for Kubernetes', () => {
  let declared: Declared
  beforeAll(async () => {
    declared = await readDeclared()
  })

  test('have nothing that the published schemas do not know', () => {
    expect(manifests.length).toBeGreaterThan(40)
    expect(manifests.flatMap(faultsOf)).toEqual([])
  })

  test('a key that is unknown, missing or of another type is found, at any depth', () => {
    const changed = (kind: string, from: string, to: string) => {
      const [found] = of(kind, kind === 'Deployment' ? 'orders-api' : undefined)
      const text = JSON.stringify(found)
      expect(text).toContain(from)
      return faultsOf(JSON.parse(text.replace(from, to)) as Manifest)
    }
    const cases = [
      changed('Deployment', '"readinessProbe"', '"readinesProbe"'),
      changed('Deployment', '"replicas":3', '"replicas":"3"'),
      changed('Deployment', '"selector":', '"selectors":'),
      changed('Deployment', '"name":"service",', ''),
      changed('Kafka', '"listeners"', '"listner"'),
      changed('Cluster', '"managed"', '"manged"'),
      changed('KafkaUser', '"type":"tls"', '"type":"ssl"'),
      changed('ScaledObject', '"metricType"', '"metric"'),
    ]
    expect(cases.filter((faults) => faults.length === 0)).toEqual([])
  })

  test('run every service of the code, with settings that exist, and nothing else', () => {
    const variables = new Set([...Object.keys(settings.shape), ...secretSettings.map((name) => `${name}_FILE`)])
    const used = [...of('Deployment'), ...of('Job')]
      .flatMap(containersOf)
      .filter(({ image }) => image === 'tally')
      .flatMap(({ env = [] }) => env.map(({ name }) => name))
    const { configMapGenerator } = parse(read('kustomization.yaml')) as {
      configMapGenerator: { name: string; literals?: string[] }[]
    }
    const common = configMapGenerator.flatMap(({ literals = [] }) => literals.map((each) => each.split('=')[0] ?? ''))
    expect([...used, ...common].filter((name) => !variables.has(name))).toEqual([])
    const ours = of('Deployment').filter((each) => containersOf(each).some(({ image }) => image === 'tally'))
    expect(ours.map(({ metadata }) => metadata.name)).toEqual(declared.services.map(({ name }) => name))
    for (const { name, command } of declared.services) {
      const [container] = of('Deployment', name).flatMap(containersOf)
      expect(container).toMatchObject({
        args: command,
        livenessProbe: { httpGet: { path: '/live' } },
        readinessProbe: { httpGet: { path: '/ready' } },
        lifecycle: { preStop: { sleep: { seconds: expect.any(Number) } } },
        securityContext: { readOnlyRootFilesystem: true },
      })
      expect(of('PodDisruptionBudget', name)).toHaveLength(1)
    }
  })

  test('topics, partitions, roles, connections and limits of replicas are those of the code', () => {
    const { partitions } = declared.config
    expect(of('KafkaTopic').map(({ metadata, spec }) => [metadata.name, spec?.['partitions']])).toEqual(
      topics.map(({ name }) => [name, partitions]),
    )
    const [cluster] = of('Cluster') as unknown as {
      spec: {
        managed: { roles: { name: string; inRoles?: string[] }[] }
        postgresql: { parameters: Record<string, string> }
      }
    }[]
    const roles = declared.services.map(({ role }) => role)
    expect(cluster?.spec.managed.roles.map(({ name }) => name)).toEqual(['tally', 'registry', ...roles])
    expect(cluster?.spec.managed.roles[0]?.inRoles).toEqual(roles)
    expect(Number(cluster?.spec.postgresql.parameters['max_connections'])).toBe(connectionsFor(declared))
    for (const { spec } of of('ScaledObject')) expect(spec?.['maxReplicaCount']).toBe(partitions)
    expect(of('ScaledObject')).toHaveLength(declared.services.length - 1)
  })

  test('every file that a variable names is mounted, and every mount has a volume', () => {
    for (const each of [...of('Deployment'), ...of('Job')]) {
      const volumes = new Set(each.spec?.template?.spec.volumes?.map(({ name }) => name))
      for (const { env = [], volumeMounts = [] } of containersOf(each)) {
        expect(volumeMounts.filter(({ name }) => !volumes.has(name))).toEqual([])
        const paths = env.flatMap(({ value = '' }) => value.match(/\/run\/secrets\/[\w-]+/g) ?? [])
        const mounted = volumeMounts.map(({ mountPath }) => mountPath)
        expect(paths.filter((path) => !mounted.includes(path))).toEqual([])
      }
    }
  })

  test.each(['bridge-rabbitmq', 'bridge-sqs', 'forward-rabbitmq', 'forward-sqs'])(
    'have %s as a component that is valid and fits the others',
    (name) => {
      const part = parse(read(`generated/${name}/kustomization.yaml`)) as Component
      const own = manifestsIn(read(`generated/${name}/resources.yaml`))
      expect(part).toMatchObject({ kind: 'Component', resources: ['resources.yaml'] })
      expect(own.flatMap(faultsOf)).toEqual([])
      const [container] = own.filter(({ kind }) => kind === 'Deployment').flatMap(containersOf)
      const forwarder = declared.forwarders.find((each) => each.name === name)
      const principal = forwarder ? name : 'orders-api'
      expect(container?.args).toEqual(forwarder?.command ?? expect.arrayContaining(['scripts/bridge.ts', '--queue']))
      expect(JSON.stringify(own)).toContain(`"secretName":"database-${principal}"`)
      expect(own.filter(({ kind }) => kind === 'KafkaUser').map(({ metadata }) => metadata.name)).toEqual(
        forwarder ? [name] : [],
      )
      // As in the pods: with these variables the process knows its queue server, and a forwarder its target
      const literals = (part.configMapGenerator ?? []).flatMap(({ literals: all }) =>
        all.map((each) => each.split('=')),
      )
      const given = (container?.env ?? [])
        .filter(({ name: variable }) => /^TALLY_(RABBITMQ|SQS)/.test(variable))
        .map(({ name: variable }) => [variable, variable === 'TALLY_RABBITMQ_URL' ? 'amqps://u:p@host' : 'key'])
      const config = loadConfig(Object.fromEntries([...literals, ...given]) as NodeJS.ProcessEnv)
      expect(name.endsWith('sqs') ? config.sqs : config.rabbitmq.url).toBeDefined()
      expect(consumersOf(config).filter((each) => each.startsWith('forward-'))).toEqual(forwarder ? [name] : [])
      // What is patched exists, and the result is valid
      for (const { target, patch } of part.patches ?? []) {
        const [patched] = of(target.kind, target.name).map((each) => structuredClone(each))
        for (const { op, path, value } of JSON.parse(patch) as { op: string; path: string; value: unknown }[]) {
          expect([op, path.endsWith('/-')]).toEqual(['add', true])
          const steps = path.slice(1, -2).split('/')
          const list = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], patched)
          ;(list as unknown[]).push(value)
        }
        expect(faultsOf(patched as Manifest)).toEqual([])
        const text = JSON.stringify(patched)
        expect(text).toContain(
          target.kind === 'Job' ? `"configMapRef":{"name":"${name}"}` : `"name":"${forwarder?.role}"`,
        )
      }
      expect(part.patches?.map(({ target }) => target.kind)).toEqual(forwarder ? ['Cluster', 'Job'] : undefined)
    },
  )

  const kubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
  const onKubectl = kubectl || process.env['CI'] !== undefined ? test : test.skip // CI does not pass without it
  onKubectl('the overlay of the page sets the image everywhere, with components and their settings', () => {
    const page = readFileSync(resolve(folder, '../../docs/deploying.md'), 'utf8')
    const blocks = [...page.matchAll(/```yaml\n(# overlay[^`]*)```/g)].map(([, text = '']) => parse(text) as object)
    expect(blocks).toHaveLength(2)
    const overlay = mkdtempSync(join(tmpdir(), 'tally-overlay-'))
    try {
      const here = relative(realpathSync(overlay), folder)
      const text = stringify(Object.assign({}, ...blocks)).replaceAll('../infra/k8s', here)
      writeFileSync(join(overlay, 'kustomization.yaml'), text)
      const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', overlay], { encoding: 'utf8' })
      expect([status, stderr]).toEqual([0, ''])
      const whole = manifestsIn(stdout)
      expect(whole.flatMap(faultsOf)).toEqual([])
      expect(whole.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'tally')).toEqual([])
      const ours = whole.flatMap(containersOf).filter(({ image }) => image.includes('/tally:'))
      expect(new Set(ours.map(({ image }) => image))).toEqual(new Set(['registry.mine.com/tally:0.2.0']))
      expect(ours.map(({ args = [] }) => args.slice(0, 2).join(' '))).toEqual(
        expect.arrayContaining(['scripts/bridge.ts rabbitmq', 'consumers/main.ts forward-sqs']),
      )
      const maps = whole.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)
      const named = ours.flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef.name))
      expect(named.filter((name) => !maps.includes(name))).toEqual([])
      expect(stdout).toContain('TALLY_FORWARD_SQS: order-events.fifo')
    } finally {
      rmSync(overlay, { recursive: true, force: true })
    }
  })
  onKubectl('kustomize puts them together, and the result is valid, too', () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    const whole = manifestsIn(stdout)
    expect(whole.flatMap(faultsOf)).toEqual([])
    expect(whole.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'tally')).toEqual([])
    const images = new Set(whole.flatMap(containersOf).map(({ image }) => image))
    expect([...images].filter((image) => !image.includes(':'))).toEqual([])
    const [binding] = whole.filter(({ kind }) => kind === 'RoleBinding') as unknown as { subjects: object[] }[]
    expect(binding?.subjects).toEqual([expect.objectContaining({ namespace: 'tally' })])
  })
})
