import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { environmentWithoutServers, loadConfig } from '../../config.ts'
import type { Config } from '../../config.ts'
import { explainFailure } from '../../explain-failure.ts'
import { silentLogger } from '../../logger.ts'
import { createPool } from '../../postgres/pool.ts'
import { createAuthority } from '../../security/certificates.ts'
import { secureDataDir } from '../../security/stack-credentials.ts'
import { loadStackConfig, prepareDataDir } from '../supervisor/data-dir.ts'
import { startStack } from '../supervisor/supervisor.ts'
import type { Stack } from '../supervisor/supervisor.ts'
import { postgresServer } from './postgres-server.ts'

const portBase = 24_800
let dataDir: string
let config: Config
let stack: Stack | undefined

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tally-postgres-'))
  prepareDataDir(dataDir)
  await secureDataDir(dataDir)
  config = loadStackConfig({
    ...environmentWithoutServers(),
    TALLY_DATA_DIR: dataDir,
    TALLY_PORT_BASE: String(portBase),
  })
  stack = await startStack(config, { processes: [postgresServer(config, { durable: false })] })
})
afterAll(async () => {
  await stack?.down()
  rmSync(dataDir, { recursive: true, force: true })
})

async function ask(env: NodeJS.ProcessEnv): Promise<string> {
  const own = loadConfig(env)
  const pool = createPool({ url: own.postgres.url, name: 'secured', max: 1, log: silentLogger })
  try {
    const { rows } = await pool.query<{ how: string }>(
      `select version || ' ' || (select setting from pg_settings where name = 'password_encryption') as how
       from pg_stat_ssl where pid = pg_backend_pid()`,
    )
    return rows[0]?.how ?? 'not encrypted'
  } catch (error) {
    return explainFailure(error, () => own).sentence
  } finally {
    await pool.end()
  }
}

const password = () => new URL(config.postgres.url).password
const url = (changes: { password?: string; search?: string } = {}) =>
  Object.assign(new URL(config.postgres.url), { password: password(), ...changes }).href

test('connections are encrypted, and passwords scrambled', async () => {
  expect(await ask({ TALLY_DATABASE_URL: url() })).toBe('TLSv1.3 scram-sha-256')
  // The weaker modes of other clients verify here, too
  expect(await ask({ TALLY_DATABASE_URL: url({ search: '?sslmode=require' }) })).toBe('TLSv1.3 scram-sha-256')
})

test('a password may come in a file, apart from the URL', async () => {
  const TALLY_DATABASE_PASSWORD_FILE = join(dataDir, 'postgres.password')
  const TALLY_DATABASE_URL = url({ password: '' })
  expect(await ask({ TALLY_DATABASE_URL, TALLY_DATABASE_PASSWORD_FILE })).toBe('TLSv1.3 scram-sha-256')
})

test('a wrong password, a connection in the clear and an unknown authority are refused in a sentence', async () => {
  const wrong = await ask({ TALLY_DATABASE_URL: url({ password: 'wrong-horse' }) })
  expect(wrong).toContain('PostgreSQL refuses the password')
  const clear = await ask({ TALLY_DATABASE_URL: url({ search: '' }) })
  expect(clear).toContain('no encryption')
  expect(clear).not.toContain(password())
  const { certificate } = await createAuthority('Foreign')
  const foreign = join(dataDir, 'foreign.crt')
  writeFileSync(foreign, certificate)
  const search = `?sslmode=verify-full&sslrootcert=${foreign}`
  expect(await ask({ TALLY_DATABASE_URL: url({ search }) })).toMatch(/^The certificate of .* is not accepted/)
})
