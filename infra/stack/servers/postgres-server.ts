import { spawn } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import type { Config } from '../../config.ts'
import { describeError, TallyError } from '../../errors.ts'
import { ensureDatabasePassword, serverHome, serverUser } from '../supervisor/data-dir.ts'
import { poll } from '../supervisor/launch.ts'
import type { CommandLine, ProcessSpec } from '../supervisor/process-spec.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { end, identify } from '../supervisor/process-identity.ts'
import { embeddedDatabaseUrl } from '../../security/database-url.ts'
import { stackCredentials } from '../../security/stack-credentials.ts'
import { securedSettings } from './postgres-security.ts'
import { hasSqlState } from '../../postgres/sqlstates.ts'

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  wal_compression: 'on',
  timezone: 'UTC',
  log_line_prefix: '%m [%p] %a ',
}

/** False: fast, survives the end of the process but not a power failure; for tests. */
const undurable = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/**
 * PostgreSQL of the npm package, on 127.0.0.1 with a password, with the databases `tally` and `registry`.
 * @param statements counts them (pg_stat_statements); for benchmarks
 */
export function postgresServer(
  config: Config,
  { durable, statements = false }: { durable: boolean; statements?: boolean },
): ProcessSpec {
  const home = serverHome(config.dataDir)
  const data = join(home, 'data')
  const binaries = postgresBinaries(home)
  return {
    name: 'postgres',
    title: `PostgreSQL ${binaries.version}`,
    kind: 'server',
    after: [],
    ports: [config.ports.postgres],
    stopSignal: 'SIGINT', // Fast shutdown: ends sessions, writes a checkpoint
    stopWithinMs: 10_000,
    readyWithinMs: 60_000, // Recovery after a crash may take long
    async prepare() {
      const password = ensureDatabasePassword(config.dataDir)
      if (existsSync(data)) await endLeftover(data)
      else await initialise(binaries.initdb, home, data, password)
      const credentials = stackCredentials(config.dataDir)
      const all = {
        port: String(config.ports.postgres),
        ...settings,
        ...(durable ? {} : undurable),
        ...(statements && { shared_preload_libraries: 'pg_stat_statements' }),
        ...(credentials && securedSettings(home, credentials)),
      }
      const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      return { command: binaries.postgres, args: ['-D', data, ...args], cwd: home, user: serverUser() }
    },
    async ready({ identity }, signal) {
      // Asked earlier, it would log a fatal error
      await poll(() => acceptsSessions(data, identity.pid), { everyMs: 20, signal })
      const url = new URL(embeddedDatabaseUrl(config.dataDir, config.ports.postgres))
      url.pathname = 'postgres'
      await poll(() => ensureDatabase(url.href, 'tally'), { everyMs: 20, signal })
    },
  }
}

/**
 * Creates a database unless it exists.
 * @param url of any database on the same server
 * @throws TallyError CONFIG_INVALID if the server refuses the password; UNREACHABLE
 */
export async function ensureDatabase(url: string, name: string): Promise<true> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  try {
    await client.connect()
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (!rowCount) await client.query(`create database ${client.escapeIdentifier(name)}`)
    return true
  } catch (error) {
    if (hasSqlState(error, 'duplicateDatabase')) return true // Another process was faster
    if (hasSqlState(error, 'invalidPassword'))
      throw new TallyError(
        'CONFIG_INVALID',
        `PostgreSQL at ${client.host}:${client.port} refuses the password: restore the file postgres.password of the data folder, or delete all data with npm run stack -- reset`,
      )
    throw new TallyError('UNREACHABLE', `No database ${name} on PostgreSQL: ${describeError(error)}`, { cause: error })
  } finally {
    await client.end().catch(() => {})
  }
}

/** Creates the cluster in a temporary folder and renames it: a `data` folder is always complete. */
async function initialise(initdb: string, home: string, data: string, password: string): Promise<void> {
  const user = serverUser()
  const aside = join(home, 'data.partial')
  const passwordFile = join(home, 'initdb.password')
  mkdirSync(home, { recursive: true, mode: 0o755 })
  rmSync(aside, { recursive: true, force: true })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) for (const path of [home, passwordFile]) chownSync(path, user.uid, user.gid)
  const flags = ['--username=tally', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions']
  try {
    await run({ command: initdb, args: ['-D', aside, `--pwfile=${passwordFile}`, ...flags], cwd: home, user })
    renameSync(aside, data)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

async function run({ command, args, cwd, user }: CommandLine): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], ...user })
  const closed = new Promise<number | null>((done, failed) => child.once('close', done).once('error', failed))
  const [code, complaint] = await Promise.all([closed, text(child.stderr)])
  if (code !== 0)
    throw new TallyError(
      'UNREACHABLE',
      `PostgreSQL's data folder could not be created: ${complaint.trim() || `exit code ${code}`}`,
    )
}

/**
 * The postmaster of a killed supervisor may still run in this folder. PostgreSQL handles a stale pid file, unless the pid
 * now belongs to another process of the same user.
 */
async function endLeftover(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const leftover = identify(Number.parseInt(readFileSync(pidFile, 'utf8'), 10))
  if (leftover && workingFolder(leftover.pid) === data) await end(leftover, 'SIGINT', 5_000)
  rmSync(pidFile, { force: true })
}

/** The postmaster notes its state in the last line of its pid file. Source: PostgreSQL, `utils/pidfile.h`. */
function acceptsSessions(data: string, pid: number): boolean {
  const [first, ...lines] = (readIfThere(join(data, 'postmaster.pid')) ?? '').split('\n')
  return Number(first) === pid && lines.some((line) => line.trim() === 'ready')
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}
