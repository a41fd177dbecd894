import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { TallyError } from '../../errors.ts'

export interface Jdk {
  readonly home: string
  readonly java: string
  /** Full version, `25.0.3`. */
  readonly version: string
}

export interface JdkSearch {
  javaHome?: string
  /** Folders of PATH. */
  searchPath: readonly string[]
  /** Folders whose subfolders are JDKs. @default the folders of packages and version managers */
  folders?: readonly string[]
}

export const leastJava = 21

/**
 * The JDK that runs the servers: JAVA_HOME's, then the one on PATH, then the newest in the usual install folders.
 * @throws TallyError TOOL_MISSING when none is new enough
 */
export function findJdk({ javaHome, searchPath, folders = installFolders() }: JdkSearch): Jdk {
  const preferred = [...(javaHome ? [javaHome] : []), ...searchPath.flatMap(homeOfCommand)].flatMap(inspect)
  const installed = folders
    .flatMap(childrenOf)
    .flatMap(inspect)
    .toSorted((a, b) => major(b) - major(a))
  const found = [...preferred, ...installed]
  const chosen = found.find((jdk) => major(jdk) >= leastJava)
  if (chosen) return chosen
  const instead = found[0] ? `only Java ${found[0].version} was found (${found[0].home})` : 'none was found'
  throw new TallyError(
    'TOOL_MISSING',
    `Kafka and the schema registry need a JDK ${leastJava} or newer, ${instead}: install one (for example the package openjdk-${leastJava}-jdk-headless, or Temurin from adoptium.net) or point JAVA_HOME to it`,
  )
}

/**
 * JVM options that archive the loaded classes in a file at exit and map them at the next start, which then takes about half
 * as long. A file of another JDK or class path is replaced, but a damaged one may crash the JVM.
 */
export const sharedArchive = (path: string): string[] => [
  '-XX:+AutoCreateSharedArchive',
  `-XX:SharedArchiveFile=${path}`,
  '-Xlog:cds=off',
  '-Xlog:cds+dynamic=off',
]

/**
 * Allows what newer versions of Java warn about: Kafka loads native compression, and unmaps its index files with
 * `sun.misc.Unsafe`. Java 21 and 22 know neither the second option nor its warning.
 */
export const allowUnsafe = (jdk: Jdk): string[] => [
  '--enable-native-access=ALL-UNNAMED',
  ...(major(jdk) >= 23 ? ['--sun-misc-unsafe-memory-access=allow'] : []),
]

/** Environment of a JVM that must find its files: in the C locale it would replace all letters of a path but those of ASCII. */
export const unicodePaths = { LC_ALL: 'C.UTF-8' }

/** Deletes the file. @returns whether there was one */
export function dropArchive(path: string | undefined): boolean {
  if (!path || !existsSync(path)) return false
  rmSync(path, { force: true })
  return true
}

const major = (jdk: Jdk): number => Number.parseInt(jdk.version, 10)

/** `java` on PATH is often a chain of links; its real path shows the home. */
function homeOfCommand(folder: string): string[] {
  try {
    return [dirname(dirname(realpathSync(join(folder, 'java'))))]
  } catch {
    return []
  }
}

/** Every JDK and JRE has a `release` file; reading it avoids starting each one. */
function inspect(home: string): Jdk[] {
  try {
    const version = /^JAVA_VERSION="([^"]+)"/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1]
    const java = realpathSync(join(home, 'bin', 'java'))
    return version ? [{ home, java, version }] : []
  } catch {
    return []
  }
}

function installFolders(): string[] {
  const user = homedir()
  return [
    '/usr/lib/jvm',
    '/usr/java',
    '/opt',
    '/opt/java',
    '/usr/local',
    `${user}/.sdkman/candidates/java`,
    `${user}/.jdks`,
  ]
}

function childrenOf(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name))
  } catch {
    return []
  }
}
