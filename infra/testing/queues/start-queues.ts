import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environmentWithoutServers, loadConfig } from '../../config.ts'
import type { Config } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import type { QueueServer } from '../../queue-settings.ts'
import { secureDataDir } from '../../security/stack-credentials.ts'
import { elasticmqServer } from '../../stack/servers/elasticmq-server.ts'
import { findRabbitmq } from '../../stack/servers/rabbitmq-binaries.ts'
import { rabbitmqServers } from '../../stack/servers/rabbitmq-server.ts'
import { loadStackConfig, prepareDataDir } from '../../stack/supervisor/data-dir.ts'
import type { ProcessIdentity } from '../../stack/supervisor/process-identity.ts'
import { signalTo } from '../../stack/supervisor/process-identity.ts'
import { startStack } from '../../stack/supervisor/supervisor.ts'
import { waitUntil } from '../wait-until.ts'

/** A queue server of a test file's own. A killed one is restarted. */
export interface TestQueue extends AsyncDisposable {
  /** With the server's address and login in `rabbitmq` or `sqs`. */
  readonly config: Config
  /** The same, for other processes. */
  readonly env: Readonly<Record<string, string>>
  kill(): void
  /**
   * Resolves when RabbitMQ has the name of a quorum queue on disk, half a second after it was declared. If it is killed
   * before, the queue never has a leader again (rabbitmq/rabbitmq-server#15725).
   */
  stored(queue: string): Promise<void>
  /** @returns a function that resumes it; at the end it is resumed anyway */
  freeze(): () => void
  /** Resolves when a killed server runs again. */
  restarted(): Promise<void>
}

const processName = { rabbitmq: 'rabbitmq', sqs: 'elasticmq' } as const

/** Whether the tests of a queue can run on this machine. Says in one line why not. */
export function canTest(server: QueueServer): boolean {
  const missing = server === 'rabbitmq' ? rabbitmqMissing() : mavenMissing()
  if (missing !== undefined) process.stderr.write(`${missing}\n`)
  return missing === undefined
}

const rabbitmqMissing = (): string | undefined =>
  findRabbitmq(loadConfig().java.searchPath) ? undefined : 'No rabbitmq-server is installed: RabbitMQ is not tested'

function mavenMissing(): string | undefined {
  try {
    execFileSync('mvn', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'No Maven on PATH, which fetches ElasticMQ: SQS is not tested'
  }
}

export interface TestQueueOptions {
  /** RabbitMQ by TLS, with a certificate of the data folder's own authority. @default false */
  secured?: boolean
  /** ElasticMQ keeps its messages over a kill, as RabbitMQ does and SQS would. @default false */
  durable?: boolean
}

export async function startQueue(
  server: QueueServer,
  portBase: number,
  { secured = false, durable = false }: TestQueueOptions = {},
): Promise<TestQueue> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-queue-'))
  prepareDataDir(dataDir)
  if (secured) await secureDataDir(dataDir)
  const settings = { TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_QUEUE_SERVERS: server }
  const config = loadStackConfig({ ...environmentWithoutServers(), ...settings })
  const processes =
    server === 'rabbitmq' ? rabbitmqServers(config, { management: false }) : [elasticmqServer(config, { durable })]
  const stack = await startStack(config, { processes })
  if (!stack) throw new TallyError('INVARIANT', `a stack runs in ${dataDir}`)
  const running = () => stack.status().processes.find(({ name }) => name === processName[server])
  const identityOf = (): ProcessIdentity => {
    const identity = running()?.identity
    if (!identity) throw new TallyError('INVARIANT', `${server} does not run`)
    return identity
  }
  const frozen = new Set<ProcessIdentity>()
  const thaw = (identity: ProcessIdentity) => {
    frozen.delete(identity)
    signalTo(identity, 'SIGCONT')
  }
  let killed: ProcessIdentity | undefined
  return {
    config,
    env: queueAddresses(config),
    kill() {
      killed = identityOf()
      signalTo(killed, 'SIGKILL')
    },
    async stored(queue) {
      const names = join(dataDir, 'rabbitmq/data/tally@localhost/quorum/tally@localhost/names.dets')
      const atom = `%2F_${queue}` // Behind its length: names of other queues may begin with it
      const stored = () => readFileSync(names, 'latin1').includes(String.fromCharCode(atom.length) + atom)
      await waitUntil(`${queue} is on disk`, stored)
    },
    freeze() {
      const identity = identityOf()
      frozen.add(identity)
      signalTo(identity, 'SIGSTOP')
      return () => thaw(identity)
    },
    async restarted() {
      const isNew = () => {
        const now = running()
        return now?.state === 'ready' && now.identity?.pid !== killed?.pid
      }
      await waitUntil(`${server} runs again`, isNew, { withinMs: 180_000 }) // As long as a start may take
    },
    async [Symbol.asyncDispose]() {
      for (const identity of frozen) thaw(identity)
      await stack.down()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** The queue servers of a configuration as settings for other processes. */
export const queueAddresses = ({ rabbitmq, sqs }: Pick<Config, 'rabbitmq' | 'sqs'>): Record<string, string> => ({
  ...(rabbitmq.url !== undefined && { TALLY_RABBITMQ_URL: rabbitmq.url }),
  ...(sqs?.endpoint !== undefined && { TALLY_SQS_ENDPOINT: sqs.endpoint, TALLY_SQS_REGION: sqs.region }),
  ...(sqs?.credentials && {
    TALLY_SQS_ACCESS_KEY_ID: sqs.credentials.accessKeyId,
    TALLY_SQS_SECRET_ACCESS_KEY: sqs.credentials.secretAccessKey,
  }),
})
