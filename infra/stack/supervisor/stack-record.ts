import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { ProcessIdentity } from './process-identity.ts'
import type { ProcessSpec } from './process-spec.ts'

export type ProcessState = 'waiting' | 'starting' | 'ready' | 'done' | 'restarting' | 'stopping' | 'stopped' | 'failed'

export interface ProcessStatus
  extends Pick<ProcessSpec, 'name' | 'title' | 'kind' | 'consumer' | 'ports' | 'stopSignal' | 'stopWithinMs'> {
  readonly state: ProcessState
  /** When it entered this state, ISO 8601. */
  readonly since: string
  readonly restarts: number
  /** Present while the process exists. */
  readonly identity?: ProcessIdentity
  /** Where it answers `/live`, `/ready` and `/metrics`, as a URL; present while it is ready and monitored. */
  readonly monitor?: string
  /** How it ended the last time. */
  readonly lastExit?: string
}

export interface StackStatus {
  /** Of this format. */
  readonly version: 1
  readonly state: 'starting' | 'running' | 'stopping'
  readonly startedAt: string
  readonly supervisor: ProcessIdentity
  readonly addresses: {
    readonly api: string
    readonly registry: string
    readonly kafka: string
    readonly postgres: string
  }
  readonly processes: readonly ProcessStatus[]
}

export const recordFile = (dataDir: string) => join(dataDir, 'run', 'stack.json')

export const targetsFile = (dataDir: string) => join(dataDir, 'run', 'targets.json')

/** Lists the monitored processes for Prometheus (`file_sd_configs`), which reads the file again whenever it changes. */
export function writeTargets(dataDir: string, { processes }: StackStatus): void {
  const targets = processes.flatMap(({ name, consumer = name, monitor }) =>
    monitor ? [{ targets: [new URL(monitor).host], labels: { job: consumer, instance: name } }] : [],
  )
  replaceFile(targetsFile(dataDir), JSON.stringify(targets, undefined, 2))
}

/** Records the running processes on disk, so that a killed supervisor leaves a trace of everything it started. */
export function writeRecord(dataDir: string, status: StackStatus): void {
  replaceFile(recordFile(dataDir), JSON.stringify(status, undefined, 2))
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** The last record, possibly of a stack that no longer runs. */
export function readStackRecord(dataDir: string): StackStatus | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(dataDir), 'utf8')) as StackStatus
    return record.version === 1 ? record : undefined
  } catch {
    return undefined // None yet. Records are replaced atomically, so there is never a partial one
  }
}

/**
 * The right to run the stack of a data folder, held until the process ends: the kernel gives a name in Linux's abstract
 * socket namespace to one process at a time and releases it however that process ends. Unlike a lock file it cannot go stale.
 * @returns undefined when another process holds it
 */
export async function lockDataDir(dataDir: string): Promise<{ release(): void } | undefined> {
  const name = createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 32)
  const holder = createServer((connection) => connection.destroy())
  const held = await new Promise<boolean>((resolve, reject) =>
    holder
      .once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)))
      .listen(`\0tally-${name}`, () => resolve(true)),
  )
  return held ? { release: () => void holder.close() } : undefined
}
