import { readStackRecord } from '../../../infra/stack/supervisor/stack-record.ts'
import type { Ground } from '../benchmark.ts'
import { cpuOf } from '../processes.ts'
import type { Service } from '../start-service.ts'
import { startCountingStatements } from '../statements.ts'

/** Name of the process that places the orders and reads their ends. */
const load = 'load'
/** Requests to Kafka that get a figure of their own. */
const kinds = ['Fetch', 'Produce', 'Heartbeat']

/**
 * Begins to count what an order costs: CPU of each process (servers, simulators and load included), commits and
 * statements of PostgreSQL, and of services that show metrics: inputs of a commit and requests to Kafka.
 * @returns a function that gives the figures of `orders` orders
 */
export async function startAccount(
  { sandbox, profiles }: Pick<Ground, 'sandbox' | 'profiles'>,
  services: readonly Service[],
): Promise<(orders: number) => Promise<Record<string, number>>> {
  const servers = readStackRecord(sandbox.config.dataDir)?.processes ?? [] // None if external servers are used
  const roots = new Map([
    ...services.map(({ name, pid }) => [name, pid] as const),
    ...servers.flatMap(({ name, identity }) => (identity ? [[name, identity.pid] as const] : [])),
  ])
  const look = async () => {
    const { user, system } = process.cpuUsage()
    const { rows } = await sandbox.pool.query<{ commits: number }>(
      'select xact_commit as commits from pg_stat_database where datname = current_database()',
    )
    const metrics = await readMetrics(services)
    return {
      cpu: new Map<string, number>([...cpuOf(roots), [load, (user + system) / 1e6]]),
      counts: {
        commits: rows[0]?.commits ?? 0,
        inputs: sumOf(metrics, 'tally_transaction_inputs_sum'),
        transactions: sumOf(metrics, 'tally_transaction_inputs_count'),
        requests: sumOf(metrics, 'tally_kafka_requests_total'),
        ...Object.fromEntries(kinds.map((kind) => [kind, sumOf(metrics, 'tally_kafka_requests_total', `"${kind}"`)])),
      } as Record<string, number>,
    }
  }
  const before = await look()
  const statements = await startCountingStatements({ sandbox, profiles })
  return async (orders) => {
    const counted = await statements()
    const after = await look()
    const cpu = [...after.cpu].map(([name, seconds]): [string, number] => [
      `${name} CPU ms/order`,
      ((seconds - (before.cpu.get(name) ?? 0)) * 1_000) / orders,
    ])
    const grown = (name: string) => (after.counts[name] ?? 0) - (before.counts[name] ?? 0)
    return {
      ...Object.fromEntries(cpu.toSorted(([, a], [, b]) => b - a)),
      'all CPU ms/order': cpu.reduce((sum, [, ms]) => sum + ms, 0),
      'commits/order': grown('commits') / orders,
      ...(counted !== undefined && { 'statements/order': counted / orders }),
      ...(grown('transactions') > 0 && { 'inputs/commit': grown('inputs') / grown('transactions') }),
      ...(grown('requests') > 0 && {
        'Kafka requests/order': grown('requests') / orders,
        ...Object.fromEntries(kinds.map((kind) => [`Kafka ${kind}/order`, grown(kind) / orders])),
      }),
    }
  }
}

const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/

/** One value of a metric: its labels as they are written, `request="Fetch"`. */
interface Sample {
  readonly name: string
  readonly labels: string
  readonly value: number
}

/** Reads the metrics of all services that show any. */
async function readMetrics(services: readonly Service[]): Promise<Sample[]> {
  const texts = await Promise.all(
    services.flatMap(({ monitor }) =>
      monitor === undefined ? [] : [fetch(`${monitor}/metrics`).then((answer) => answer.text())],
    ),
  )
  return texts.flatMap((text) => text.split('\n').flatMap(parse))
}

function parse(line: string): Sample[] {
  const [, name, labels = '', value] = sample.exec(line) ?? []
  return name === undefined ? [] : [{ name, labels, value: Number(value) }]
}

/** Adds up the values of a metric whose labels contain a text. */
const sumOf = (samples: readonly Sample[], metric: string, labels = ''): number =>
  samples.reduce((sum, each) => sum + (each.name === metric && each.labels.includes(labels) ? each.value : 0), 0)
