import type { Pool } from '../postgres/pool.ts'
import { judgeConnections } from './check-connections.ts'
import type { ServiceConnections } from './check-connections.ts'
import type { Finding } from './finding.ts'

/** The oldest version with all functions that statements use (`uuid_extract_timestamp`). */
const oldest = 17
/** A clock that is wrong by more than this is a finding, ms. */
const toleratedMs = 30_000

export interface ServerOptions {
  /** The host's clock, epoch ms. */
  readonly now: () => number
  readonly services: readonly ServiceConnections[]
  readonly lanes: number
}

interface Server {
  version: number
  time: number
  readOnly: boolean
  fsync: boolean
  max: number
  reserved: number
}

/** Version, clock and room for connections. */
export async function checkServer(pool: Pool, { now, services, lanes }: ServerOptions): Promise<Finding[]> {
  const asked = now()
  const { rows } = await pool.query<Server>(
    `select current_setting('server_version_num')::int as version,
       (extract(epoch from clock_timestamp()) * 1000)::float8 as time,
       pg_is_in_recovery() or current_setting('transaction_read_only')::bool as "readOnly",
       current_setting('fsync')::bool as fsync, current_setting('max_connections')::int as max,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved`,
  )
  const [server] = rows
  if (!server) return []
  return [
    ...judgeServer(server),
    ...judgeClock('The database', server.time - (asked + now()) / 2),
    ...judgeConnections(services, { maxConnections: server.max, reserved: server.reserved, lanes }),
  ]
}

/** Pure. */
export function judgeServer({ version, readOnly }: Pick<Server, 'version' | 'readOnly'>): Finding[] {
  const major = Math.floor(version / 10_000)
  return [
    ...(major < oldest
      ? [{ area: 'database', problem: `It is PostgreSQL ${major}`, cure: `Upgrade it to ${oldest} or newer` } as const]
      : []),
    ...(readOnly
      ? [{ area: 'database', problem: 'It is read-only', cure: 'Name the primary in TALLY_DATABASE_URL' } as const]
      : []),
  ]
}

/** Pure. @param aheadMs how far a server's clock is ahead of this host's */
export function judgeClock(server: string, aheadMs: number): Finding[] {
  if (Math.abs(aheadMs) <= toleratedMs) return []
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  return [
    {
      area: 'clock',
      problem: `${server}'s clock is ${seconds.toLocaleString('en')} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this host's`,
      cure: 'Synchronize both with NTP: times of events and deadlines would be wrong',
    },
  ]
}
