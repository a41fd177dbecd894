import { readStackRecord } from '../../infra/stack/supervisor/stack-record.ts'
import type { Ground } from './benchmark.ts'
import { cpuOf } from './processes.ts'

/**
 * Begins to count what the work costs the servers that the benchmark has started: CPU of each and bytes of PostgreSQL's log.
 * @returns a function that gives the figures per event
 */
export async function startServerAccount({
  sandbox,
}: Pick<Ground, 'sandbox'>): Promise<(events: number) => Promise<Record<string, number>>> {
  const servers = readStackRecord(sandbox.config.dataDir)?.processes ?? [] // None if external servers are used
  const roots = new Map(servers.flatMap(({ name, identity }) => (identity ? [[name, identity.pid] as const] : [])))
  const look = async () => {
    const { rows } = await sandbox.pool.query<{ bytes: number }>(
      `select (pg_current_wal_insert_lsn() - '0/0')::bigint as bytes`,
    )
    return { cpu: cpuOf(roots), bytes: rows[0]?.bytes ?? 0 }
  }
  const before = await look()
  return async (events) => {
    const after = await look()
    const each = [...after.cpu].map(([name, seconds]): [string, number] => [
      `${name} µs`,
      ((seconds - (before.cpu.get(name) ?? 0)) * 1e6) / events,
    ])
    return { ...Object.fromEntries(each), 'WAL bytes': (after.bytes - before.bytes) / events }
  }
}
