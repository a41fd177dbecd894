import { loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { describeError, isTallyError } from '../../infra/errors.ts'
import { withCredentialsOf } from '../../infra/server-address.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { askSupervisor } from '../../infra/stack/supervisor/control.ts'
import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { silentLogger } from '../../infra/logger.ts'
import type { KafkaServers } from '../../infra/security/kafka-access.ts'
import { noHeartbeat } from '../../consumers/runtime/tables/lane-state.ts'
import { answerWithin, patienceMs } from '../../consumers/operations/lanes/answer-within.ts'
import { openForOperator, readHealth } from '../../consumers/operations/lanes/read-health.ts'
import type { Health } from '../../consumers/operations/lanes/read-health.ts'
import { explainFailure } from '../../infra/explain-failure.ts'

export interface Probed {
  /**
   * Processes that do not answer, and replicas whose heartbeats Kafka does not answer, with the reason. A running process may
   * be frozen or cut off.
   */
  readonly silent: ReadonlyMap<string, string>
  /** Health of the consumers, or a sentence if it cannot be read. */
  readonly health: Health | string
}

/** Probes every process of a stack, each for at most three seconds. */
export async function probeStack(status: StackStatus): Promise<Probed> {
  const config = configOf(status)
  const [silent, health] = await Promise.all([silentOnes(config, status), healthOf(config)])
  return { silent: new Map([...silent, ...replicasCutOff(status, health)]), health }
}

/** The current configuration with the addresses that the stack was started with. */
export function configOf({ addresses }: StackStatus): Config {
  const config = loadConfig()
  const url = new URL(config.postgres.url)
  url.host = addresses.postgres
  const registry = withCredentialsOf(addresses.registry, config.registry.url)
  return {
    ...config,
    kafka: { ...config.kafka, brokers: addresses.kafka.split(',') },
    registry: { ...config.registry, url: registry },
    postgres: { ...config.postgres, url: url.href },
  }
}

async function silentOnes(config: Config, { addresses, processes }: StackStatus): Promise<[string, string][]> {
  const simulators = processes.filter(({ kind, state }) => kind === 'simulator' && state === 'ready')
  const api = processes.find(({ name, state }) => name === 'orders-api' && state === 'ready')
  const probes: [string, Promise<unknown>][] = [
    ['supervisor', askSupervisor(config.dataDir, 'status', { withinMs: patienceMs })],
    ['postgres', selectOne(config)],
    ...brokerProbes(processes, config),
    ['registry', anyAnswer(`${addresses.registry}/subjects`)],
    ...simulators.map(({ name, ports }): [string, Promise<unknown>] => [
      name,
      anyAnswer(`http://127.0.0.1:${ports?.[0]}/`),
    ]),
    ...(api ? [[api.name, anyAnswer(`${addresses.api}/health`)] as [string, Promise<unknown>]] : []),
  ]
  const titleOf = (name: string) => processes.find((process) => process.name === name)?.title ?? name
  const answers = await Promise.all(
    probes.map(([name, work]) =>
      answerWithin(titleOf(name), work).then(
        () => [],
        (error: unknown): [string, string][] => {
          const told = isTallyError(error, 'UNREACHABLE') ? error.message : `${titleOf(name)}: ${describeError(error)}`
          return [[name, told]]
        },
      ),
    ),
  )
  return answers.flat()
}

async function selectOne(config: Config): Promise<void> {
  const pool = openForOperator(config)
  await pool.query('select 1').finally(() => pool.end())
}

/** One probe per embedded broker; for external ones, one of them must answer. */
function brokerProbes(processes: StackStatus['processes'], { kafka }: Config): [string, Promise<unknown>][] {
  const own = processes.filter(({ name }) => /^kafka(-\d+)?$/.test(name))
  if (own.length === 0) return [['kafka', greet(kafka)]]
  return own.map(({ name, ports }) => [
    name,
    greet(own.length === 1 ? kafka : { ...kafka, brokers: [`127.0.0.1:${ports?.[0]}`] }),
  ])
}

const greet = (servers: KafkaServers): Promise<unknown> =>
  withAdmin(
    createKafka({
      servers,
      clientId: 'tally-stack',
      log: silentLogger,
      requestTimeoutMs: patienceMs,
      retry: { retries: 0 },
    }),
    async () => {}, // Connecting is enough
  )

/** Resolves with any HTTP answer, whatever its status. */
async function anyAnswer(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
  await answer.body?.cancel()
}

async function healthOf(config: Config): Promise<Health | string> {
  const pool = openForOperator(config)
  try {
    return await readHealth(config, pool)
  } catch (error) {
    return explainFailure(error, () => config).sentence
  } finally {
    await pool.end()
  }
}

/**
 * Replicas that are silent or cannot heartbeat. Their names contain the pid: `payment@host:1234`. One outside the stack is
 * listed under its consumer.
 */
export const replicasCutOff = (
  { processes }: Pick<StackStatus, 'processes'>,
  health: Health | string,
): [string, string][] =>
  typeof health === 'string'
    ? []
    : health.groups.flatMap(({ group, lanes }) =>
        lanes.flatMap(({ owner, condition, reason }): [string, string][] => {
          const unheard = condition === 'waiting' && reason === noHeartbeat
          if (condition !== 'silent' && !unheard) return []
          const own = processes.find(({ identity }) => identity && owner?.endsWith(`:${identity.pid}`))
          return [[own?.name ?? group, `${owner} ${unheard ? 'cannot heartbeat: Kafka does not answer' : 'is silent'}`]]
        }),
      )
