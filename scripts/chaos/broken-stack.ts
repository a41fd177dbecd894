import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environmentWithoutServers, replaceQueueSettings } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { queueAddresses } from '../../infra/testing/queues/start-queues.ts'
import { TcpProxy } from '../../infra/testing/faults/tcp-proxy.ts'
import { deleteData, loadStackConfig } from '../../infra/stack/supervisor/data-dir.ts'
import { bridgeProcess } from '../demo/demo-bridge.ts'
import { pipeline } from '../pipeline.ts'
import type { ProcessIdentity } from '../../infra/stack/supervisor/process-identity.ts'
import type { ProcessSpec } from '../../infra/stack/supervisor/process-spec.ts'
import { embeddedServers } from '../../infra/stack/servers/servers.ts'
import { startStack } from '../../infra/stack/supervisor/supervisor.ts'
import type { Stack } from '../../infra/stack/supervisor/supervisor.ts'
import type { Network, PlanOptions } from './fault-plan.ts'
import { networks } from './fault-plan.ts'
import { forwardSettings, isOfQueue, portOf } from './queues/doors.ts'
import { mountSmallDisk } from './small-disk.ts'
import type { SmallDisk } from './small-disk.ts'

/** A separate stack in which every connection runs through a proxy that can break it. */
export interface BrokenStack extends AsyncDisposable {
  /** Addresses of the servers themselves, past the proxies, for the observer. */
  readonly config: Config
  readonly proxies: ReadonlyMap<Network, TcpProxy>
  readonly processes: PlanOptions['processes']
  /** Undefined: no queues run. */
  readonly queues: PlanOptions['queues']
  readonly logDir: string
  /** The disk of PostgreSQL, if it can be filled. */
  readonly disk: SmallDisk | undefined
  identityOf(process: string): ProcessIdentity | undefined
  /** Whether every process is ready. */
  healthy(): boolean
  /** Keeps data and logs instead of deleting them. */
  keep(): void
}

export interface BrokenStackOptions {
  portBase: number
  /** Kafka brokers. */
  brokers: number
  replicas: number
  /** Queues through which orders come in and to which events go out, each with bridges. */
  doors: readonly QueueServer[]
  seed: number
  /** Environment variables that differ from the defaults. */
  settings: Readonly<Record<string, string>>
  /** Puts PostgreSQL on a disk that can be filled. If mounting is not permitted, says so and continues without. */
  smallDisk: boolean
  signal: AbortSignal
  say(line: string): void
}

export async function startBrokenStack(options: BrokenStackOptions): Promise<BrokenStack> {
  const { portBase, brokers, replicas, doors, seed, settings, signal, say } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-chaos-'))
  chmodSync(dataDir, 0o711) // PostgreSQL may run as another user, which must pass through this folder
  const own = {
    ...{ TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_SIMULATOR_SEED: String(seed) },
    TALLY_BROKERS: String(brokers),
    ...settings,
  }
  const servers = doors.length > 0 && { TALLY_QUEUE_SERVERS: doors.join(',') }
  const config = loadStackConfig({ ...environmentWithoutServers(), ...own, ...servers })
  const disk = options.smallDisk ? mountSmallDisk(config.dataDir, say) : undefined
  const proxies = new Map<Network, TcpProxy>()
  replaceQueueSettings({ ...queueAddresses(config), ...forwardSettings(doors) }) // They decide which consumers there are
  const { rabbitmq, sqs } = config
  const { nodes } = config.kafka
  for (const network of networks)
    if (network !== 'kafka') proxies.set(network, await TcpProxy.open({ target: { port: config.ports[network] } }))
  for (const door of doors) proxies.set(door, await TcpProxy.open({ target: { port: portOf(config, door) } }))
  for (const { id, port } of nodes) proxies.set(brokerNetwork(id), await TcpProxy.open({ target: { port } }))
  const proxyOf = (network: Network) => proxies.get(network)?.port ?? 0
  const through = (url: string, network: Network) =>
    Object.assign(new URL(url), { port: String(proxyOf(network)) }).href
  const env = {
    ...own,
    TALLY_KAFKA_BROKERS: nodes.map(({ id }) => `127.0.0.1:${proxyOf(brokerNetwork(id))}`).join(','),
    TALLY_DATABASE_URL: through(config.postgres.url, 'postgres'),
    TALLY_REGISTRY_URL: through(config.registry.url, 'registry'),
    TALLY_GATEWAY_URL: through(config.gateway.url, 'gateway'),
    TALLY_CARRIER_URL: through(config.carrier.url, 'carrier'),
    ...queueAddresses({
      rabbitmq: { ...rabbitmq, url: rabbitmq.url && through(rabbitmq.url, 'rabbitmq') },
      sqs: sqs && { ...sqs, endpoint: sqs.endpoint && through(sqs.endpoint, 'sqs') },
    }),
  }
  // Brokers replicate through the proxies, too
  const advertisedPort = (own: number) => proxyOf(brokerNetwork(nodes.find(({ port }) => port === own)?.id ?? 1))
  const embedded = embeddedServers(config, { durable: true, kafka: { advertisedPort }, queues: 'robust' })
  const bridges = doors.map((door) => bridgeProcess(door, config))
  const services = [...pipeline(config), ...bridges].map((spec) => withEnvironment(spec, env))
  const specs = [...embedded, ...services.flatMap((spec) => (spec.kind === 'service' ? copies(spec, replicas) : spec))]
  const namesOf = (kind: ProcessSpec['kind']) => specs.filter((spec) => spec.kind === kind).map(({ name }) => name)
  let kept = false
  let stack: Stack | undefined
  const close = async () => {
    await stack?.down()
    for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]()
    disk?.unmount({ keepData: kept })
    if (kept) return
    deleteData(dataDir)
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    stack = await startStack(config, { processes: specs, onProgress: say, signal })
  } catch (error) {
    await close()
    throw error
  }
  if (!stack) throw new TallyError('BUSY', `A stack is already running in ${dataDir}`)
  const { status } = stack
  return {
    config,
    proxies,
    queues:
      doors.length > 0 ? { networks: doors, processes: specs.map(({ name }) => name).filter(isOfQueue) } : undefined,
    processes: { services: namesOf('service'), simulators: namesOf('simulator'), servers: namesOf('server') },
    logDir: join(dataDir, 'logs'),
    disk,
    identityOf: (name) => status().processes.find((process) => process.name === name)?.identity,
    healthy: () => status().processes.every(({ state }) => state === 'ready' || state === 'done'),
    keep: () => (kept = true),
    [Symbol.asyncDispose]: close,
  }
}

const brokerNetwork = (id: number): Network => (id === 1 ? 'kafka' : `kafka-${id}`)

const withEnvironment = (spec: ProcessSpec, env: Record<string, string>): ProcessSpec => ({
  ...spec,
  async prepare(progress) {
    const line = await spec.prepare(progress)
    return { ...line, env: { ...line.env, ...env } }
  },
})

/** A service with a port runs once; a consumer runs in `replicas` processes. */
const copies = (spec: ProcessSpec, replicas: number): ProcessSpec[] =>
  spec.ports
    ? [spec]
    : Array.from({ length: replicas }, (_, n) => ({ ...spec, name: n === 0 ? spec.name : `${spec.name}-${n + 1}` }))
