import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfig } from '../../config.ts'
import type { Config } from '../../config.ts'
import { describeError, isTallyError, TallyError } from '../../errors.ts'
import { ensurePasswords, operator, secureDataDir, stackCredentials } from '../../security/stack-credentials.ts'
import { assertBrokers } from '../../broker-count.ts'
import { rabbitmqPasswordFile } from '../../queue-settings.ts'

/** Marks a data folder: only a folder with this file is ever deleted. */
const marker = 'tally-data-dir'
/** Content of a data folder that is not data: downloads, caches, pages, hints to stacks, and what tests and benchmarks leave. */
const kept = /^(jars-|downloading-|(compile-cache|console|shop|stacks|test|screenshots|bench)$)/

/**
 * Creates the data folder.
 * @throws TallyError USAGE when it cannot be written, holds foreign files, or other programs could not use its path
 */
export function prepareDataDir(dataDir: string): void {
  if (/\p{Cc}|\uFFFD/u.test(dataDir))
    throw new TallyError(
      'USAGE',
      `The path of the data folder ${JSON.stringify(dataDir)} has control characters, or is not UTF-8: set TALLY_DATA_DIR to another folder`,
    )
  try {
    makeFolder(dataDir)
    const names = readdirSync(dataDir)
    if (!names.includes(marker)) {
      if (names.some((name) => !kept.test(name)))
        throw new TallyError(
          'USAGE',
          `${dataDir} holds files that are not Tally's: set TALLY_DATA_DIR to an empty folder`,
        )
      writeFileSync(join(dataDir, marker), '')
    }
    for (const name of ['run', 'logs']) mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK)
  } catch (error) {
    if (isTallyError(error)) throw error
    throw new TallyError(
      'USAGE',
      `The data folder ${dataDir} cannot be written: make it writable, or set TALLY_DATA_DIR to another folder (${describeError(error)})`,
      { cause: error },
    )
  }
}

/** Not `recursive`: that never returns if a parent exists but accepts no folders, like /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o711 }) // PostgreSQL under another user must pass through
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // Concurrent starts
  }
}

/**
 * Deletes the content of a data folder, except downloads.
 * @throws TallyError USAGE when the folder is not a data folder of Tally
 */
export function deleteData(dataDir: string): void {
  if (!existsSync(dataDir)) return
  if (readdirSync(dataDir).every((name) => kept.test(name))) return // Deleted before
  if (!existsSync(join(dataDir, marker)))
    throw new TallyError('USAGE', `${dataDir} is not a data folder of Tally: nothing was deleted`)
  rmSync(serverHome(dataDir), { recursive: true, force: true })
  for (const name of readdirSync(dataDir))
    if (!kept.test(name)) rmSync(join(dataDir, name), { recursive: true, force: true })
}

/** Deletes the data of PostgreSQL and Kafka, schemas included. */
export function deleteServerData(dataDir: string): void {
  for (const data of [join(serverHome(dataDir), 'data'), join(dataDir, 'kafka')])
    rmSync(data, { recursive: true, force: true })
}

/** The password of the embedded database. `loadConfig` reads it. */
export const ensureDatabasePassword = (dataDir: string): string => ensurePassword(join(dataDir, 'postgres.password'))

/** A password in a file: created by the first call, readable by the owner only. */
function ensurePassword(path: string): string {
  try {
    writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8').trim()
}

/**
 * Secures a data folder that has no data yet, if `secure`; completes the passwords of one that is secured.
 * @param principals services that log in with passwords of their own
 * @throws TallyError USAGE if the folder has data and is not secured
 */
export async function secureNewDataDir(
  dataDir: string,
  { secure, principals }: { secure: boolean; principals: readonly string[] },
): Promise<void> {
  prepareDataDir(dataDir)
  if (secure && !stackCredentials(dataDir)) {
    if (existsSync(join(dataDir, 'kafka')) || existsSync(join(serverHome(dataDir), 'data')))
      throw new TallyError(
        'USAGE',
        `${dataDir} was made without --secure, and that cannot be changed: set TALLY_DATA_DIR to another folder, or delete the data with \`npm run stack -- reset\``,
      )
    await secureDataDir(dataDir)
  }
  ensurePasswords(dataDir, [operator, 'kafka', ...principals])
}

/**
 * The configuration, after creating its data folder and the passwords of the embedded database and RabbitMQ.
 * @param env @default `process.env`
 * @throws TallyError CONFIG_INVALID; USAGE when the folder cannot be used, or was made with another number of brokers
 */
export function loadStackConfig(env?: NodeJS.ProcessEnv): Config {
  const { dataDir, brokersWanted, rabbitmq } = loadConfig(env)
  prepareDataDir(dataDir)
  assertBrokers(dataDir, brokersWanted)
  ensureDatabasePassword(dataDir)
  if (rabbitmq.embedded) ensurePassword(rabbitmqPasswordFile(dataDir))
  return loadConfig(env)
}

/** PostgreSQL refuses to run as root; this user runs it instead. It owns nothing else and exists everywhere. */
const nobody = { uid: 65_534, gid: 65_534 }

export const serverUser = (): typeof nobody | undefined => (process.getuid?.() === 0 ? nobody : undefined)

/**
 * The folder of PostgreSQL's files: the data folder, unless it runs as `nobody` and a parent folder is closed to that user
 * (for example a checkout in /root).
 */
export function serverHome(dataDir: string): string {
  if (!serverUser() || isOpen(dataDir)) return join(dataDir, 'postgres')
  return join('/var/lib/tally', createHash('sha256').update(dataDir).digest('hex').slice(0, 12))
}

/** Whether every user may pass through a folder and all its parents. */
export function isOpen(folder: string): boolean {
  const open = (statSync(folder).mode & 0o001) !== 0
  return open && (dirname(folder) === folder || isOpen(dirname(folder)))
}
