import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { loadConfig } from '../../config.ts'
import { identify } from './process-identity.ts'
import { adoptRunningSettings, dropRunningSettings, readRunningSettings, runningElsewhere } from './running-settings.ts'
import { writeRunningSettings } from './running-settings.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tally-settings-'))
  mkdirSync(join(dataDir, 'run'))
})
afterEach(() => {
  dropRunningSettings(dataDir)
  rmSync(dataDir, { recursive: true })
})

const file = () => join(dataDir, 'run', 'settings.json')
/** A stack under this process, started with these variables. */
const runs = (settings: Record<string, string>, pipeline = true) =>
  writeFileSync(file(), JSON.stringify({ version: 1, supervisor: identify(process.pid), settings, pipeline }))

test('a terminal without variables gets those of the running stack', () => {
  runs({ TALLY_PORT_BASE: '31000', TALLY_NAMESPACE: 'blue_' })
  const env: NodeJS.ProcessEnv = { TALLY_DATA_DIR: dataDir }
  expect(adoptRunningSettings(env)).toBeUndefined()
  expect(loadConfig(env)).toMatchObject({ namespace: 'blue_', ports: { api: 31_080 } })
})

test('a variable that is set wins, and a contradiction is said without its value', () => {
  runs({ TALLY_PORT_BASE: '31000', TALLY_DATABASE_URL: 'postgres://bob:hidden@other:5432/tally' })
  const url = 'postgres://ann:secret@db:5432/tally'
  const env: NodeJS.ProcessEnv = { TALLY_DATA_DIR: dataDir, TALLY_DATABASE_URL: url }
  expect(adoptRunningSettings(env)).toBe(
    `The stack that runs in ${dataDir} was started with another value of TALLY_DATABASE_URL: the ones set here apply. Unset them to use that stack`,
  )
  expect(loadConfig(env)).toMatchObject({ ports: { api: 31_080 }, postgres: { url } })
})

test('a secret in a file replaces the same secret in a variable', () => {
  runs({ TALLY_CARRIER_URL: 'https://carrier', TALLY_CARRIER_TOKEN: 'theirs' })
  const own = join(dataDir, 'token')
  writeFileSync(own, 'our-token')
  const env: NodeJS.ProcessEnv = { TALLY_DATA_DIR: dataDir, TALLY_CARRIER_TOKEN_FILE: own }
  adoptRunningSettings(env)
  expect(loadConfig(env).carrier.url).toBe('https://:our-token@carrier')
})

test('a variable contradicts only if it leads elsewhere', () => {
  runs({ TALLY_PORT_BASE: '31000' }, false)
  const same = { TALLY_KAFKA_BROKERS: '127.0.0.1:31092', TALLY_GATEWAY_URL: 'http://127.0.0.1:31090' }
  const shared = { TALLY_NAMESPACE: 'green_', TALLY_RETRY_LIMIT: '3' }
  expect(adoptRunningSettings({ TALLY_DATA_DIR: dataDir, ...same, ...shared })).toBeUndefined()
  runs({ TALLY_PORT_BASE: '31000' })
  expect(adoptRunningSettings({ TALLY_DATA_DIR: dataDir, ...shared })).toContain('another value of TALLY_NAMESPACE')
  expect(adoptRunningSettings({ TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: '28000' })).toContain('TALLY_PORT_BASE')
})

test('the record of a supervisor that has died counts no more, nor one whose pid another process has', async () => {
  const supervisor = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'])
  await once(supervisor, 'spawn')
  const identity = identify(supervisor.pid as number)
  const settings = { TALLY_PORT_BASE: '31000' }
  const record = (by: unknown) => writeFileSync(file(), JSON.stringify({ version: 1, supervisor: by, settings }))
  record(identity)
  expect(readRunningSettings(dataDir)).toMatchObject({ settings })
  record({ ...identity, startTime: '1' })
  expect(readRunningSettings(dataDir)).toBeUndefined()
  record(identity)
  supervisor.kill('SIGKILL')
  await once(supervisor, 'exit')
  const env: NodeJS.ProcessEnv = { TALLY_DATA_DIR: dataDir }
  expect(adoptRunningSettings(env)).toBeUndefined()
  expect(env.TALLY_PORT_BASE).toBeUndefined()
})

test('a stack records its variables for its owner only, and is found from other folders until it stops', () => {
  process.env.TALLY_SIMULATOR_SEED = '7'
  try {
    writeRunningSettings(dataDir, true)
  } finally {
    delete process.env.TALLY_SIMULATOR_SEED
  }
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ settings: { TALLY_SIMULATOR_SEED: '7' } })
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(runningElsewhere('/another')).toContain(dataDir)
  expect(runningElsewhere(dataDir)).not.toContain(dataDir)
  dropRunningSettings(dataDir)
  expect(runningElsewhere('/another')).not.toContain(dataDir)
})
