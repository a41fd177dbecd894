import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { environmentWith } from '../../config.ts'
import type { Config } from '../../config.ts'
import { describeError, TallyError } from '../../errors.ts'
import { createKafka } from '../../kafka/client.ts'
import { silentLogger } from '../../logger.ts'
import { keepBrokers } from '../../broker-count.ts'
import { stackCredentials } from '../../security/stack-credentials.ts'
import { formatArguments, securedSettings } from './kafka-security.ts'
import { fetchJars, pinned } from './jars.ts'
import type { Jars } from './jars.ts'
import { allowUnsafe, dropArchive, findJdk, sharedArchive, unicodePaths } from './java.ts'
import type { Jdk } from './java.ts'
import { poll } from '../supervisor/launch.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'

/** Beside the process's other files. Relative to its working folder: a list of paths, in a file of Latin-1, holds not every path. */
const dataFolder = 'data'

type Node = Config['kafka']['nodes'][number]

/** Settings of a combined KRaft node on 127.0.0.1 that differ from Kafka's defaults. */
function settings({ nodes }: Config['kafka'], { id, port, controllerPort }: Node, advertised: number) {
  const copies = Math.min(3, nodes.length)
  const fewest = Math.max(1, copies - 1)
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${advertised},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'CLIENT',
    'controller.listener.names': 'CONTROLLER',
    ...quorum(nodes),
    'log.dirs': dataFolder,
    'auto.create.topics.enable': false, // A misspelt topic is an error, not a new topic
    'default.replication.factor': copies,
    'min.insync.replicas': fewest,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': fewest,
    'transaction.state.log.num.partitions': 3,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': fewest,
    // A killed broker can rejoin only after its old session has ended
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': nodes.length > 1 ? 500 : 1000,
    // How often an idle controller writes a record to show that it lives; the default is 0.5 s
    'metadata.max.idle.interval.ms': 5000,
    // When a broker sends a request to a frozen controller again, to the new one; the default is 30 s
    'controller.socket.timeout.ms': 3000,
    'log.cleaner.dedupe.buffer.size': 2_097_152, // The default uses 128 MB of the 384 MB heap
    'log.index.size.max.bytes': 1_048_576,
    'log.segment.bytes': 67_108_864,
    'num.io.threads': 4,
    'num.network.threads': 2,
    'background.threads': 4,
  }
}

/** Several controllers use a static quorum; a single one uses a dynamic quorum, to which others can be added. */
const quorum = (nodes: readonly Node[]): Record<string, string> =>
  nodes.length === 1
    ? { 'controller.quorum.bootstrap.servers': `127.0.0.1:${nodes[0]?.controllerPort}` }
    : {
        'controller.quorum.voters': nodes.map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`).join(','),
      }

const properties = 'server.properties'

const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms64m', '-XX:-UsePerfData', '-Djava.awt.headless=true']

export interface KafkaServerOptions {
  /** Advertised port for a broker's port, if a proxy is in front of it. */
  advertisedPort?: (port: number) => number
  /** Maximum heap of each broker, MB. @default 384 */
  heapMb?: number
  /** Settings of the brokers that differ from those of the stack, for tests. */
  settings?: Readonly<Record<string, string>>
}

/** The embedded brokers, one process each: `kafka`, `kafka-2`, `kafka-3`. */
export const kafkaServers = (config: Config, options: KafkaServerOptions = {}): ProcessSpec[] =>
  config.kafka.nodes.map((node) => kafkaServer(config, node, options))

/** Name of a broker's process. */
export const brokerName = (id: number): string => (id === 1 ? 'kafka' : `kafka-${id}`)

/** Kafka from Maven's jars. Formatted once; data is kept per version. */
function kafkaServer(config: Config, node: Node, options: KafkaServerOptions): ProcessSpec {
  const { advertisedPort, heapMb = 384 } = options
  const version = pinned('kafka.version')
  const { nodes } = config.kafka
  const cluster = join(config.dataDir, 'kafka', version)
  const home = node.id === 1 ? cluster : join(cluster, `broker-${node.id}`)
  let archive: string | undefined
  return {
    name: brokerName(node.id),
    title: nodes.length === 1 ? `Kafka ${version}` : `Kafka ${version}, broker ${node.id}`,
    kind: 'server',
    after: [],
    ports: [node.port, node.controllerPort],
    stopSignal: 'SIGTERM',
    // The first broker stops last, when no majority of controllers is left for a controlled shutdown
    stopWithinMs: nodes.length > 1 && node.id === 1 ? 2_000 : 15_000,
    readyWithinMs: 90_000,
    async prepare(progress) {
      const jdk = findJdk(config.java)
      const jars = await fetchJars(jdk, progress)
      keepBrokers(config.dataDir, nodes.length)
      mkdirSync(home, { recursive: true })
      const credentials = stackCredentials(config.dataDir)
      const own = {
        ...settings(config.kafka, node, advertisedPort?.(node.port) ?? node.port),
        ...(credentials && securedSettings(home, credentials)),
        ...options.settings,
      }
      writePrivately(
        join(home, properties),
        Object.entries(own)
          .map(([key, value]) => `${key}=${value}\n`)
          .join(''),
      )
      const jvmArgs = jvmOptions(home, jars, heapMb)
      if (!existsSync(join(home, dataFolder, 'meta.properties'))) {
        const mode = nodes.length === 1 ? ['--standalone'] : []
        const args = ['format', ...mode, '--ignore-formatted', '-t', clusterId(cluster), '-c', properties]
        const tool = credentials ? [formatArguments(home, credentials, args)] : ['kafka.tools.StorageTool', ...args]
        await format(jdk, home, [...jvmArgs, ...tool])
      }
      archive = join(jars.dir, `kafka-${jdk.version}.jsa`)
      const args = [...sharedArchive(archive), ...allowUnsafe(jdk), ...jvmArgs, 'kafka.Kafka', properties]
      return { command: jdk.java, args, cwd: home, env: unicodePaths }
    },
    recover: () => dropArchive(archive),
    async ready(running, signal) {
      await poll(() => running.output().includes('Kafka Server started'), { everyMs: 25, signal })
      const servers = { ...config.kafka, brokers: [`127.0.0.1:${node.port}`] }
      const admin = createKafka({ servers, clientId: 'stack', log: silentLogger }).admin()
      try {
        await admin.connect()
        await poll(async () => (await admin.describeCluster()).controller !== null, { everyMs: 25, signal })
      } finally {
        await admin.disconnect()
      }
    },
  }
}

/** The class path is passed in a file, because it would make the output of `ps` unreadable. */
function jvmOptions(home: string, jars: Jars, heapMb: number): string[] {
  const classPath = 'class-path.args'
  const quoted = jars.kafka.join(':').replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  writeFileSync(join(home, classPath), `-cp "${quoted}"\n`)
  return [
    ...jvm,
    `-Xmx${heapMb}m`,
    // A list of addresses, separated by commas
    `-Dlog4j2.configurationFile=${pathToFileURL(join(import.meta.dirname, 'jars', 'log4j2.properties')).href.replaceAll(',', '%2C')}`,
    `@${classPath}`,
  ]
}

/** A file that only its owner may read, also if it existed. */
function writePrivately(path: string, content: string): void {
  rmSync(path, { force: true })
  writeFileSync(path, content, { mode: 0o600 })
}

async function format(jdk: Jdk, home: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(jdk.java, args, { cwd: home, env: environmentWith(unicodePaths) })
  } catch (error) {
    throw new TallyError('UNREACHABLE', `Kafka's data folder could not be formatted: ${describeError(error)}`, {
      cause: error,
    })
  }
}

/** The cluster id that all brokers of a data folder share, created when the first one is formatted. */
function clusterId(folder: string): string {
  const file = join(folder, 'cluster.id')
  try {
    writeFileSync(file, newClusterId(), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}

/** 16 random bytes in Kafka's format. An id that begins with "-" would be read as an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}
