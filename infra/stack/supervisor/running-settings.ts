import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { dataDirOf, loadConfig, settingsGiven, siblingOf } from '../../config.ts'
import type { Config } from '../../config.ts'
import { identify, isAlive } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** What a running stack tells commands in other terminals, which may lack the variables of the first. */
export interface RunningSettings {
  /** Of this format. */
  readonly version: 1
  readonly supervisor: ProcessIdentity
  /** Variables with which it was started, by name. They may hold passwords. */
  readonly settings: Readonly<Record<string, string>>
  /** Whether it runs services, too. */
  readonly pipeline: boolean
}

const fileIn = (dataDir: string) => join(dataDir, 'run', 'settings.json')

/** Names the data folders of stacks that run this checkout on another folder than its own. */
const elsewhere = resolve(import.meta.dirname, '../../..', '.tally', 'stacks')
const pointerTo = (dataDir: string) => join(elsewhere, createHash('sha256').update(dataDir).digest('hex').slice(0, 16))

/** Records with which variables this process runs the stack of a data folder. Readable by its owner only. */
export function writeRunningSettings(dataDir: string, pipeline: boolean): void {
  const supervisor = identify(process.pid) as ProcessIdentity
  const running: RunningSettings = { version: 1, supervisor, settings: settingsGiven(process.env), pipeline }
  const path = fileIn(dataDir)
  writeFileSync(`${path}.new`, JSON.stringify(running), { mode: 0o600 })
  renameSync(`${path}.new`, path)
  try {
    mkdirSync(elsewhere, { recursive: true })
    writeFileSync(pointerTo(dataDir), dataDir)
  } catch {
    // The checkout cannot be written: commands give no hint to this folder
  }
}

/** Call it when the stack begins to stop: a command would take its settings for those of the next one. */
export function dropRunningSettings(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true })
  rmSync(pointerTo(dataDir), { force: true })
}

/** The settings of the stack that runs on a data folder. A record that a killed supervisor left does not count. */
export function readRunningSettings(dataDir: string): RunningSettings | undefined {
  try {
    const running = JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as RunningSettings
    return running.version === 1 && isAlive(running.supervisor) ? running : undefined
  } catch {
    return undefined // None runs here, or that of another user
  }
}

/** Data folders, other than `dataDir`, on which stacks of this checkout run now. */
export function runningElsewhere(dataDir: string): string[] {
  try {
    const folders = readdirSync(elsewhere).map((name) => readFileSync(join(elsewhere, name), 'utf8'))
    return folders.filter((folder) => folder !== dataDir && readRunningSettings(folder) !== undefined)
  } catch {
    return []
  }
}

/**
 * Completes the environment of this process with the variables of the stack that runs on its data folder, if one does.
 * Variables that are set here win.
 * @returns a sentence if one of them contradicts the running stack
 */
export function adoptRunningSettings(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const dataDir = dataDirOf(env)
  const running = readRunningSettings(dataDir)
  if (!running) return undefined
  const given = new Set(Object.keys(settingsGiven(env)))
  for (const [name, value] of Object.entries(running.settings)) if (!given.has(siblingOf(name))) env[name] ??= value
  const names = contradicting(env, given, running)
  if (names.length === 0) return undefined
  const others = names.length === 1 ? 'another value' : 'other values'
  return `The stack that runs in ${dataDir} was started with ${others} of ${names.join(', ')}: the ones set here apply. Unset them to use that stack`
}

/** Variables given here that lead elsewhere than to the running stack. One that names the same server in full does not. */
function contradicting(
  env: NodeJS.ProcessEnv,
  given: ReadonlySet<string>,
  { settings, pipeline }: RunningSettings,
): string[] {
  const own = loadConfig(env)
  const theirs = loadConfig({ ...settings, TALLY_DATA_DIR: own.dataDir })
  const differs: Readonly<Record<string, (config: Config) => unknown>> = {
    ...(pipeline && { TALLY_NAMESPACE: ({ namespace }) => namespace }), // Pipelines may share a stack of servers only
    TALLY_PORT_BASE: ({ ports }) => ports.postgres,
    TALLY_API_PORT: ({ ports }) => ports.api,
    TALLY_KAFKA_BROKERS: ({ kafka }) => kafka.brokers.join(','),
    TALLY_REGISTRY_URL: ({ registry }) => new URL(registry.url).host,
    TALLY_DATABASE_URL: ({ postgres }) => new URL(postgres.url).host + new URL(postgres.url).pathname,
    TALLY_GATEWAY_URL: ({ gateway }) => gateway.url,
    TALLY_CARRIER_URL: ({ carrier }) => carrier.url,
    TALLY_ORDER_TIMEOUT_MS: ({ orderTimeoutMs }) => orderTimeoutMs,
  }
  return [...given].filter((name) => differs[name] && differs[name](own) !== differs[name](theirs))
}
