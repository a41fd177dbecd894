import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../../infra/errors.ts'
import { serverHome } from '../../infra/stack/supervisor/data-dir.ts'

/** A disk for PostgreSQL alone that is small enough to fill. */
export interface SmallDisk {
  /** Fills the disk to the last byte for `forMs` milliseconds. */
  fill(forMs: number): Promise<true>
  /** Call it after PostgreSQL has stopped. */
  unmount(options: { keepData: boolean }): void
}

const megabytes = 1_024

/**
 * Mounts a file system in memory at the database's folder. Call it before PostgreSQL creates its files.
 * @returns undefined if mounting is not permitted; `say` gets the reason
 */
export function mountSmallDisk(dataDir: string, say: (line: string) => void): SmallDisk | undefined {
  const home = serverHome(dataDir)
  mkdirSync(home, { recursive: true, mode: 0o755 })
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', home)
  } catch (error) {
    say(`Skipping full-disk faults: a small disk cannot be mounted here (${describeError(error).split('\n')[0]})`)
    rmSync(home, { recursive: true })
    return undefined
  }
  return {
    async fill(forMs) {
      const ballast = join(home, 'ballast')
      try {
        fillUp(ballast)
        await delay(forMs)
      } finally {
        rmSync(ballast, { force: true })
      }
      return true
    },
    unmount({ keepData }) {
      const aside = keepData ? mkdtempSync(join(tmpdir(), 'tally-chaos-postgres-')) : undefined
      if (aside) run('cp', '--archive', `${home}/.`, aside)
      run('umount', '--lazy', home)
      if (!aside) return
      run('cp', '--archive', `${aside}/.`, home)
      rmSync(aside, { recursive: true })
    },
  }
}

const run = (command: string, ...args: readonly string[]) => void execFileSync(command, args, { stdio: 'pipe' })

/** Writes smaller and smaller pieces, so that not even one more page fits. */
function fillUp(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = 1024 * 1024; size >= 512; size /= 2) while (fits(file, Buffer.alloc(size)));
  } finally {
    closeSync(file)
  }
}

function fits(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
