import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../config.ts'
import { describeError, TallyError } from '../../errors.ts'
import { createKafka } from '../../kafka/client.ts'
import { silentLogger } from '../../logger.ts'
import { fetchJars, pinned } from './jars.ts'
import type { Jars } from './jars.ts'
import { dropArchive, findJdk, sharedArchive } from './java.ts'
import type { Jdk } from './java.ts'
import { poll } from '../supervisor/launch.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'

/** One combined KRaft node on 127.0.0.1. What differs from Kafka's defaults, and why where it is not plain. */
const settings = (config: Config, logDir: string, advertisedPort: number) => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  listeners: `CLIENT://127.0.0.1:${config.ports.kafka},CONTROLLER://127.0.0.1:${config.ports.kafkaController}`,
  'advertised.listeners': `CLIENT://127.0.0.1:${advertisedPort},CONTROLLER://127.0.0.1:${config.ports.kafkaController}`,
  'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'CLIENT',
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.bootstrap.servers': `127.0.0.1:${config.ports.kafkaController}`,
  'log.dirs': logDir,
  'auto.create.topics.enable': false, // A misspelt topic is an error, not a new topic
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1000,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 3,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 3,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  // A killed broker is let in again only when its old session has ended
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'log.cleaner.dedupe.buffer.size': 2_097_152, // Of 384 MB heap the default takes 128
  'log.index.size.max.bytes': 1_048_576,
  'log.segment.bytes': 67_108_864,
  'num.io.threads': 4,
  'num.network.threads': 2,
  'background.threads': 4,
})

const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms64m', '-XX:-UsePerfData', '-Djava.awt.headless=true']

/**
 * Kafka out of Maven's jars: formatted once, its data kept per version (formats do not go forward).
 * @param advertisedPort where clients are told to go, if something stands in front
 */
export function kafkaServer(
  config: Config,
  { advertisedPort = config.ports.kafka, heapMb = 384 }: { advertisedPort?: number; heapMb?: number } = {},
): ProcessSpec {
  const version = pinned('kafka.version')
  const home = join(config.dataDir, 'kafka', version)
  const logDir = join(home, 'data')
  let archive: string | undefined
  return {
    name: 'kafka',
    title: `Kafka ${version}`,
    kind: 'server',
    after: [],
    ports: [config.ports.kafka, config.ports.kafkaController],
    stopSignal: 'SIGTERM',
    stopWithinMs: 15_000,
    readyWithinMs: 90_000,
    async prepare(progress) {
      const jdk = findJdk(config.java)
      const jars = await fetchJars(jdk, progress)
      const properties = join(home, 'server.properties')
      mkdirSync(home, { recursive: true })
      const lines = Object.entries(settings(config, logDir, advertisedPort)).map(([key, value]) => `${key}=${value}\n`)
      writeFileSync(properties, lines.join(''))
      const options = jvmOptions(home, jars, heapMb)
      if (!existsSync(join(logDir, 'meta.properties'))) await format(jdk, options, properties)
      archive = join(jars.dir, `kafka-${jdk.version}.jsa`)
      return { command: jdk.java, args: [...sharedArchive(archive), ...options, 'kafka.Kafka', properties], cwd: home }
    },
    recover: () => dropArchive(archive),
    async ready(running, signal) {
      await poll(() => running.output().includes('Kafka Server started'), { everyMs: 25, signal })
      const admin = createKafka({
        brokers: [`127.0.0.1:${config.ports.kafka}`],
        clientId: 'stack',
        log: silentLogger,
      }).admin()
      try {
        await admin.connect()
        await poll(async () => (await admin.describeCluster()).controller !== null, { everyMs: 25, signal })
      } finally {
        await admin.disconnect()
      }
    },
  }
}

/** The class path goes through a file: on the command line it would fill screens of `ps`. */
function jvmOptions(home: string, jars: Jars, heapMb: number): string[] {
  const classPath = join(home, 'class-path.args')
  const quoted = jars.kafka.join(':').replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  writeFileSync(classPath, `-cp "${quoted}"\n`)
  return [
    ...jvm,
    `-Xmx${heapMb}m`,
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'jars', 'log4j2.properties')}`,
    `@${classPath}`,
  ]
}

async function format(jdk: Jdk, options: readonly string[], properties: string): Promise<void> {
  const args = ['format', '--standalone', '--ignore-formatted', '-t', clusterId(), '-c', properties]
  try {
    await promisify(execFile)(jdk.java, [...options, 'kafka.tools.StorageTool', ...args])
  } catch (error) {
    throw new TallyError('UNREACHABLE', `Kafka's data folder could not be formatted: ${describeError(error)}`, {
      cause: error,
    })
  }
}

/** 16 random bytes as Kafka writes them; one beginning with "-" would be taken for an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? clusterId() : id
}
