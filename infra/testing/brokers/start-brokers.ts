import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kafka } from 'kafkajs'
import { environmentWith } from '../../config.ts'
import type { Config } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import { withAdmin } from '../../kafka/admin.ts'
import { ensurePasswords, secureDataDir } from '../../security/stack-credentials.ts'
import { brokerName, kafkaServers } from '../../stack/servers/kafka-server.ts'
import { loadStackConfig, prepareDataDir } from '../../stack/supervisor/data-dir.ts'
import type { ProcessIdentity } from '../../stack/supervisor/process-identity.ts'
import { signalTo } from '../../stack/supervisor/process-identity.ts'
import { startStack } from '../../stack/supervisor/supervisor.ts'
import { waitUntil } from '../wait-until.ts'
import { controllerOf } from './roles.ts'

/** A separate cluster for a test, whose brokers can be killed and frozen. A killed one is restarted. */
export interface TestBrokers extends AsyncDisposable {
  readonly dataDir: string
  readonly config: Config
  /** host:port of each. */
  readonly addresses: readonly string[]
  /** Id of the broker that is the active controller. */
  controller(): number
  kill(id: number): void
  /** @returns a function that resumes it; at the end it is resumed anyway */
  freeze(id: number): () => void
  /** Resolves when every broker runs and every partition of `topics` is in sync on all of them. */
  whole(kafka: Kafka, topics: readonly string[]): Promise<void>
}

export interface TestBrokersOptions {
  /** TLS, logins and ACLs, as in a secured stack. */
  secured?: boolean
  /** Settings of the brokers that differ from those of the stack. */
  settings?: Readonly<Record<string, string>>
}

export async function startBrokers(
  portBase: number,
  count: number,
  { secured = false, settings }: TestBrokersOptions = {},
): Promise<TestBrokers> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-brokers-'))
  prepareDataDir(dataDir)
  if (secured) await secureDataDir(dataDir)
  ensurePasswords(dataDir, ['admin', 'kafka'])
  const config = loadStackConfig({
    ...environmentWith({ TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_BROKERS: String(count) }),
    TALLY_KAFKA_BROKERS: undefined,
  })
  const stack = await startStack(config, {
    processes: kafkaServers(config, { heapMb: 256, settings }),
  })
  if (!stack) throw new TallyError('INVARIANT', `a stack runs in ${dataDir}`)
  const processOf = (id: number) => stack.status().processes.find(({ name }) => name === brokerName(id))
  const identityOf = (id: number): ProcessIdentity => {
    const identity = processOf(id)?.identity
    if (!identity) throw new TallyError('INVARIANT', `broker ${id} does not run`)
    return identity
  }
  const frozen = new Set<ProcessIdentity>()
  const thaw = (identity: ProcessIdentity) => {
    frozen.delete(identity)
    signalTo(identity, 'SIGCONT')
  }
  return {
    ...{ dataDir, config },
    addresses: config.kafka.brokers,
    controller: () => controllerOf(dataDir),
    kill: (id) => signalTo(identityOf(id), 'SIGKILL'),
    freeze(id) {
      const identity = identityOf(id)
      frozen.add(identity)
      signalTo(identity, 'SIGSTOP')
      return () => thaw(identity)
    },
    async whole(kafka, topics) {
      await waitUntil('all brokers are up and in sync', async () => {
        if (!stack.status().processes.every(({ state }) => state === 'ready')) return false
        const { topics: found } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata({ topics: [...topics] }))
        return found.every(({ partitions }) => partitions.every(({ isr }) => isr.length === config.kafka.nodes.length))
      })
    },
    async [Symbol.asyncDispose]() {
      for (const identity of frozen) thaw(identity)
      await stack.down()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
