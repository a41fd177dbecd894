import { createHash } from 'node:crypto'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { TallyError } from '../errors.ts'

const project = resolve(import.meta.dirname, '../..')
const builder = join(import.meta.dirname, 'build.ts')
const shared = join(import.meta.dirname, 'client')

/** Pages that are built from sources. */
export interface Site {
  /** For messages and for the folder in which what was built is kept: `console`. */
  readonly name: string
  /** Folder of `index.html`. */
  readonly root: string
  /** Other folders that it imports from, besides the shared parts of `infra/web/client`. */
  readonly imports: readonly string[]
  /** Path under which it is served. @default `/` */
  readonly base?: string
}

/** One file of the pages, in memory: a change of the folder on disk cannot break a page that is open. */
export interface WebFile {
  readonly body: Buffer
  readonly gzip: Buffer
  readonly type: string
}

/** By path from the root, `/assets/index-….js`. */
export type WebBundle = ReadonlyMap<string, WebFile>

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * The pages of a site, built with Vite if a source has changed since they were built last. Several processes may do so
 * at once.
 * @throws TallyError TOOL_MISSING if they cannot be built
 */
export async function loadWebBundle(site: Site): Promise<WebBundle> {
  const cache = join(project, '.tally', site.name)
  const folder = join(cache, fingerprint(site))
  if (!existsSync(folder)) await build(site, cache, folder)
  return new Map(
    filesOf(folder).map((path) => {
      const body = readFileSync(path)
      const type = types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
      return [path.slice(folder.length), { body, gzip: gzipSync(body, { level: 9 }), type }]
    }),
  )
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))

/** A hash of the sources and of the packages they are built with. */
function fingerprint({ root, imports, base = '/' }: Site): string {
  const hash = createHash('sha256').update(base)
  const sources = [root, ...imports, shared].flatMap(filesOf)
  for (const path of [...sources.sort(), builder, join(project, 'package.json')])
    hash.update(path.slice(project.length)).update(readFileSync(path))
  return hash.digest('hex').slice(0, 16)
}

async function build({ name, root, base = '/' }: Site, cache: string, folder: string): Promise<void> {
  mkdirSync(cache, { recursive: true })
  const made = mkdtempSync(join(cache, 'new-'))
  try {
    // In a process of its own: the bundler's memory goes with it. Without the environment of this one, which may ask for
    // React's development build, twice as large
    const env = { NODE_ENV: 'production' }
    const child = fork(builder, [root, made, base], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (output += String(part)))
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0)
      throw new TallyError(
        'TOOL_MISSING',
        `The pages of the ${name} cannot be built (\`npm ci\` installs what they need): ${output.trim().split('\n')[0]}`,
      )
    if (!existsSync(folder)) renameSync(made, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error // Otherwise another process was faster
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
