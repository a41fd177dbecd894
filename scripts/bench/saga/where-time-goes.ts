import { readStackRecord } from '../../../infra/stack/supervisor/stack-record.ts'
import type { Ground } from '../benchmark.ts'
import { cpuOf } from '../processes.ts'
import type { Service } from '../start-service.ts'

/** Name of the process that places the orders and reads their ends. */
const load = 'load'

/**
 * Begins to count what an order costs: CPU of each process (servers, simulators and load included) and commits.
 * @param records number of records that the services have processed so far; undefined if they count none
 * @returns a function that gives the figures of `orders` orders
 */
export async function startAccount(
  { sandbox }: Pick<Ground, 'sandbox'>,
  services: readonly Service[],
  records: () => Promise<number | undefined>,
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
    return {
      cpu: new Map<string, number>([...cpuOf(roots), [load, (user + system) / 1e6]]),
      commits: rows[0]?.commits ?? 0,
      records: await records(),
    }
  }
  const before = await look()
  return async (orders) => {
    const after = await look()
    const each = [...after.cpu].map(([name, seconds]): [string, number] => [
      `${name} CPU ms/order`,
      ((seconds - (before.cpu.get(name) ?? 0)) * 1_000) / orders,
    ])
    const commits = after.commits - before.commits
    const read = after.records === undefined ? undefined : after.records - (before.records ?? 0)
    return {
      ...Object.fromEntries(each.toSorted(([, a], [, b]) => b - a)),
      'all CPU ms/order': each.reduce((sum, [, ms]) => sum + ms, 0),
      'commits/order': commits / orders,
      ...(read !== undefined && { 'records/commit': read / commits }),
    }
  }
}
