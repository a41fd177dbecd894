import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { describeError } from '../../infra/errors.ts'
import { serverHome } from '../../infra/stack/data-dir.ts'

/** A disk for PostgreSQL alone, so small that it can be filled. */
export interface SmallDisk {
  /** Leaves no byte free for a while. */
  fill(forMs: number): Promise<true>
  unmount(): void
}

const megabytes = 1_024

/**
 * Puts the database's folder on a file system in memory. Needs the right to mount.
 * @returns the disk, or why there is none
 */
export function mountSmallDisk(config: Config): SmallDisk | string {
  const home = serverHome(config.dataDir)
  mkdirSync(home, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', home], { stdio: 'pipe' })
  } catch (error) {
    return `no disk is filled: mounting a small one is not permitted (${describeError(error).split('\n')[0]})`
  }
  chmodSync(home, 0o755)
  const ballast = join(home, 'ballast')
  return {
    async fill(forMs) {
      const file = openSync(ballast, 'w')
      try {
        const chunk = Buffer.alloc(1024 * 1024)
        for (let free = true; free; ) free = writes(file, chunk)
        await delay(forMs)
      } finally {
        closeSync(file)
        rmSync(ballast, { force: true })
      }
      return true
    },
    unmount: () => void execFileSync('umount', ['--lazy', home], { stdio: 'pipe' }),
  }
}

function writes(file: number, chunk: Buffer): boolean {
  try {
    writeSync(file, chunk)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
