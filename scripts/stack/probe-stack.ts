import { loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { describeError, isTallyError } from '../../infra/errors.ts'
import { readAddress } from '../../infra/server-address.ts'
import { createKafka, withAdmin } from '../../infra/kafka/client.ts'
import { askSupervisor } from '../../infra/stack/supervisor/control.ts'
import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { silentLogger } from '../../infra/logger.ts'
import { answerWithin, patienceMs } from '../../consumers/operations/lanes/answer-within.ts'
import { openForOperator, readHealth } from '../../consumers/operations/lanes/read-health.ts'
import type { Health } from '../../consumers/operations/lanes/read-health.ts'
import { explainFailure } from '../../infra/explain-failure.ts'

export interface Probed {
  /** What does not answer, by name of its process, and why; a running process may be frozen. */
  readonly silent: ReadonlyMap<string, string>
  /** How the consumers are; a sentence where nobody can say. */
  readonly health: Health | string
}

/** Asks everything in a stack for a sign of life, each for three seconds at most. */
export async function probeStack(status: StackStatus): Promise<Probed> {
  const config = configOf(status)
  const [silent, health] = await Promise.all([silentOnes(config, status), healthOf(config)])
  return { silent: new Map([...silent, ...frozenReplicas(status, health)]), health }
}

/** Our configuration, with the addresses the stack was started with. */
export function configOf({ addresses }: StackStatus): Config {
  const config = loadConfig()
  const url = new URL(config.postgres.url)
  url.host = addresses.postgres
  const { user } = readAddress(config.registry.url)
  const registry = user ? Object.assign(new URL(addresses.registry), user).href : addresses.registry
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
    ...brokerProbes(processes, config.kafka.brokers),
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

/** Embedded brokers answer each for itself; of others any may. */
function brokerProbes(processes: StackStatus['processes'], brokers: string[]): [string, Promise<unknown>][] {
  const own = processes.filter(({ name }) => /^kafka(-\d+)?$/.test(name))
  if (own.length === 0) return [['kafka', greet(brokers)]]
  return own.map(({ name, ports }) => [name, greet(own.length === 1 ? brokers : [`127.0.0.1:${ports?.[0]}`])])
}

const greet = (brokers: string[]): Promise<unknown> =>
  withAdmin(
    createKafka({
      brokers,
      clientId: 'tally-stack',
      log: silentLogger,
      requestTimeoutMs: patienceMs,
      retry: { retries: 0 },
    }),
    async () => {}, // To have connected is an answer
  )

/** Whatever it says: that it says something counts. */
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

/** A replica is called after its process: `payment@host:1234`. One that runs outside the stack stands for its consumer. */
const frozenReplicas = ({ processes }: StackStatus, health: Health | string): [string, string][] =>
  typeof health === 'string'
    ? []
    : health.groups.flatMap(({ group, lanes }) =>
        lanes
          .filter(({ condition }) => condition === 'silent')
          .map(({ owner }): [string, string] => {
            const own = processes.find(({ identity }) => identity && owner?.endsWith(`:${identity.pid}`))
            return [own?.name ?? group, `${owner} is silent`]
          }),
      )
