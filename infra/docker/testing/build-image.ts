import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { environmentWith } from '../../config.ts'
import { parseDockerfile } from './parse-dockerfile.ts'
import type { Stage } from './parse-dockerfile.ts'

/** What an image consists of, in a plain folder that nobody may write. */
export interface BuiltImage extends AsyncDisposable {
  /** Stands for `/` of the image. */
  readonly root: string
  /** Its working folder. */
  readonly home: string
  readonly stages: readonly Stage[]
  readonly healthcheck: readonly string[]
  /** Starts the image's program as the image's user. @param env added to the environment of the image */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess
}

const context = resolve(import.meta.dirname, '../../..')
const isRoot = process.getuid?.() === 0
/** Builds the layers; another one than the image's user, so that file modes tell whether the latter writes. */
const builder = isRoot ? { uid: 65_534, gid: 65_534 } : {}

/**
 * Carries out the instructions of `infra/docker/Dockerfile` without Docker: `COPY` copies, `RUN` runs as a user without
 * rights. Of base images there is only Node.js, the one that runs this.
 * @throws Error for an instruction that it does not know, or one that fails
 */
export async function buildImage(): Promise<BuiltImage> {
  const stages = parseDockerfile(readFileSync(join(context, 'infra/docker/Dockerfile'), 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'tally-image-'))
  const remove = async () => {
    await chmodTree(folder, 'u+w')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    chmodSync(folder, 0o755)
    const roots = new Map<string, string>()
    let last: Built | undefined
    for (const [index, stage] of stages.entries()) {
      const root = join(folder, String(index))
      const base = roots.get(stage.from)
      if (base !== undefined) cpSync(base, root, { recursive: true, verbatimSymlinks: true })
      if (stage.from.startsWith('node:')) {
        mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
        cpSync(process.execPath, join(root, 'usr/local/bin/node'))
      }
      last = await buildStage(stage, root, roots)
      roots.set(stage.name ?? String(index), root)
    }
    if (!last) throw new Error('The Dockerfile has no stage')
    await chmodTree(last.root, 'a-w,a+rX')
    return { ...runnable(last), stages, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Built {
  readonly root: string
  readonly settings: ReadonlyMap<string, string>
  readonly env: NodeJS.ProcessEnv
}

async function buildStage(stage: Stage, root: string, others: ReadonlyMap<string, string>): Promise<Built> {
  const settings = new Map<string, string>()
  const env: NodeJS.ProcessEnv = {}
  const home = () => join(root, settings.get('WORKDIR') ?? '/')
  for (const { name, text: given } of stage.instructions) {
    if (name === 'COPY') copy(given, { root, home: home(), others })
    else if (name === 'RUN') await runStep(given, home(), root)
    else if (name === 'ENV') for (const pair of given.split(' ')) env[pair.split('=')[0] ?? ''] = pair.split('=')[1]
    else if (['WORKDIR', 'USER', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'].includes(name)) settings.set(name, given)
    else throw new Error(`${name} is not known`)
    if (name === 'WORKDIR') mkdirSync(home(), { recursive: true })
  }
  return { root, settings, env }
}

function copy(
  given: string,
  { root, home, others }: { root: string; home: string; others: ReadonlyMap<string, string> },
) {
  const [, stage, paths = ''] = /^(?:--from=(\S+) )?(?:--chown=\S+ )?(.*)$/.exec(given) ?? []
  const words = paths.split(' ')
  const target = words.pop() ?? ''
  const base = stage === undefined ? context : others.get(stage)
  if (base === undefined) throw new Error(`There is no stage ${stage}`)
  const into = target.startsWith('/') ? join(root, target) : join(home, target)
  for (const word of words) {
    const from = join(base, word)
    const to = target.endsWith('/') && statSync(from).isFile() ? join(into, basename(word)) : into
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to, { recursive: true, verbatimSymlinks: true })
  }
}

/** By which the caller reaches the network; nothing else of its environment counts. */
const network = /^(https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file|npm_config_(registry|cafile))$/i

/** In the environment of a fresh container: neither the caller's modules nor its settings. */
async function runStep(command: string, home: string, root: string): Promise<void> {
  if (isRoot) await succeed('chown', ['-R', '65534:65534', root])
  const own = join(root, 'home')
  mkdirSync(own, { recursive: true })
  if (isRoot) await succeed('chown', ['65534:65534', own])
  const caller = environmentWith({})
  const ways = Object.fromEntries(Object.entries(caller).filter(([name]) => network.test(name)))
  const path = [join(root, 'usr/local/bin'), caller['PATH']].join(delimiter)
  await succeed('sh', ['-ec', command], { cwd: home, env: { ...ways, PATH: path, HOME: own }, ...builder })
  rmSync(own, { recursive: true, force: true })
}

async function succeed(command: string, args: readonly string[], options: object = {}): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...options })
  const [stderr, [code]] = await Promise.all([text(child.stderr as NodeJS.ReadableStream), once(child, 'exit')])
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${stderr}`)
}

const chmodTree = (folder: string, mode: string): Promise<void> => succeed('chmod', ['-R', mode, folder])

function runnable({ root, settings, env }: Built): Pick<BuiltImage, 'root' | 'home' | 'healthcheck' | 'run'> {
  const words = (name: string) => JSON.parse(settings.get(name)?.replace(/^.*CMD (?=\[)/, '') ?? '[]') as string[]
  const [uid = 0, gid = 0] = settings.get('USER')?.split(':').map(Number) ?? []
  const home = join(root, settings.get('WORKDIR') ?? '/')
  const entry = words('ENTRYPOINT')
  return {
    root,
    home,
    healthcheck: words('HEALTHCHECK'),
    run: (args, more = {}) =>
      spawn(join(root, entry[0] ?? ''), [...entry.slice(1), ...args], {
        cwd: home,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(isRoot && { uid, gid }),
      }),
  }
}
