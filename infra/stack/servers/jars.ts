import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { environmentWith } from '../../config.ts'
import { describeError, TallyError } from '../../errors.ts'
import type { Jdk } from './java.ts'

const pom = join(import.meta.dirname, 'jars', 'pom.xml')
/** All data folders of this checkout share the downloads. */
const cacheDir = resolve(import.meta.dirname, '..', '..', '..', '.tally')

export interface Jars {
  /** Sorted: a class data archive is bound to the order of the class path. */
  readonly kafka: readonly string[]
  readonly registry: string
  /** Folder for archives of exactly these jars. */
  readonly dir: string
}

/** A version pinned in jars/pom.xml. */
export const pinned = (property: 'kafka.version' | 'registry.version'): string => pinnedIn(pom, property)

/** A version pinned in a pom. */
export function pinnedIn(file: string, property: string): string {
  const version = new RegExp(`<${property}>([^<]+)</`).exec(readFileSync(file, 'utf8'))?.[1]
  if (!version) throw new TallyError('INVARIANT', `${file} names no ${property}`)
  return version
}

let fetching: Promise<Jars> | undefined

/**
 * The jars of Kafka and the registry. The first call of a checkout fetches them with Maven (about 200 MB).
 * @throws TallyError TOOL_MISSING without Maven, UNREACHABLE when the download fails
 */
export async function fetchJars(jdk: Jdk, progress: (text: string) => void): Promise<Jars> {
  fetching ??= fetchOnce(jdk, progress).finally(() => (fetching = undefined))
  return fetching
}

async function fetchOnce(jdk: Jdk, progress: (text: string) => void): Promise<Jars> {
  return jarsOf(await fetchByPom({ pom, what: 'Kafka and the schema registry', megabytes: 200 }, jdk, progress))
}

/** The jars, if an earlier call has fetched them. */
export function fetchedJars(): Jars | undefined {
  const dir = folderOf(pom)
  return existsSync(dir) ? jarsOf(dir) : undefined
}

const jarsOf = (dir: string): Jars => ({
  kafka: jarsIn(join(dir, 'kafka')),
  registry: join(dir, 'registry', 'quarkus-run.jar'),
  dir,
})

/** The jars of a folder, sorted. */
export const jarsIn = (dir: string): string[] =>
  readdirSync(dir)
    .toSorted()
    .map((jar) => join(dir, jar))

/** A set of jars: `mvn generate-resources -Djars.dir=…` fills the folder. */
export interface JarSource {
  /** Path of the pom. */
  pom: string
  /** Readable name, for messages. */
  what: string
  megabytes: number
}

/**
 * Fetches with Maven the jars that a pom names, on the first call with exactly this pom.
 * @returns the folder
 * @throws TallyError TOOL_MISSING without Maven, UNREACHABLE when the download fails
 */
export async function fetchByPom(source: JarSource, jdk: Jdk, progress: (text: string) => void): Promise<string> {
  const dir = folderOf(source.pom)
  if (!existsSync(dir)) await download(dir, source, jdk, progress)
  return dir
}

const folderOf = (file: string): string =>
  join(cacheDir, `jars-${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)}`)

/** Fills a temporary folder and renames it: a folder with the final name is complete, even with concurrent downloads. */
async function download(dir: string, source: JarSource, jdk: Jdk, progress: (text: string) => void): Promise<void> {
  mkdirSync(cacheDir, { recursive: true })
  const aside = mkdtempSync(join(cacheDir, 'downloading-'))
  try {
    progress(`downloading ${source.what} with Maven, about ${source.megabytes} MB (first run only)`)
    await maven(source, [`-Djars.dir=${aside}`, 'generate-resources'], jdk, progress)
    chmodSync(aside, 0o755) // Temporary folders are private; the cache is shared
    renameSync(aside, dir)
  } catch (error) {
    if (!existsSync(dir)) throw error
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

async function maven(
  { pom: file, what }: JarSource,
  args: readonly string[],
  jdk: Jdk,
  progress: (text: string) => void,
): Promise<void> {
  const child = spawn('mvn', ['--batch-mode', '--strict-checksums', '--file', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentWith({ JAVA_HOME: jdk.home }),
  })
  const exited = new Promise<number | null>((done, failed) => child.once('close', done).once('error', failed))
  const errors: string[] = []
  let megabytes = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('[ERROR]')) errors.push(line.slice('[ERROR] '.length))
    const size = /^\[INFO\] Downloaded from .*\(([\d.]+) (kB|MB) at/.exec(line)
    if (!size) return
    const before = megabytes
    megabytes += Number(size[1]) / (size[2] === 'kB' ? 1000 : 1)
    if (Math.floor(megabytes / 20) > Math.floor(before / 20)) progress(`fetched ${Math.round(megabytes)} MB`)
  })
  child.stderr.resume()
  const code = await exited.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new TallyError('TOOL_MISSING', `Maven cannot be run: ${describeError(error)}`)
    throw new TallyError(
      'TOOL_MISSING',
      `Maven (the command mvn) is needed to fetch ${what}: install it (for example the package maven, or from maven.apache.org)`,
    )
  })
  if (code === 0) return
  const why = errors.find((line) => line.trim() !== '') ?? `exit code ${code}`
  throw new TallyError('UNREACHABLE', `Maven could not fetch ${what}, check the network: ${why}`)
}
