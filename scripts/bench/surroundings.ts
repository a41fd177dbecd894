import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { cpus, loadavg, totalmem } from 'node:os'
import { resolve } from 'node:path'

/** The conditions that figures depend on. */
export interface Surroundings {
  /** ISO 8601. */
  readonly takenAt: string
  readonly commit: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  /** Load average over one minute before the run: near 0 on a quiet machine. */
  readonly loadBefore: number
  readonly servers: string
  readonly versions: Readonly<Record<string, string>>
}

const require = createRequire(import.meta.url)
const versionOf = (name: string): string => (require(`${name}/package.json`) as { version: string }).version

export const surroundings = (servers: string): Surroundings => ({
  takenAt: new Date().toISOString(),
  commit: commit(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  loadBefore: loadavg()[0] ?? 0,
  servers,
  versions: { node: process.versions.node, kafkajs: versionOf('kafkajs'), pg: versionOf('pg') },
})

/** `0263a07`, with a `+` if files differ from the commit. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: resolve(import.meta.dirname, '../..'), encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') ? '+' : '')
  } catch {
    return 'unknown' // Not a git checkout
  }
}
