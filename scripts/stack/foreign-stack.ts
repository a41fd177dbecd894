import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TallyError } from '../../infra/errors.ts'

/**
 * Refuses to work on the stack of another user: it could neither be seen nor stopped.
 * @throws TallyError PRECONDITION_FAILED
 */
export function refuseForeignStack(dataDir: string): void {
  try {
    accessSync(join(dataDir, 'run'), constants.R_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return // No stack was ever started here
    const owner = ownerOf(dataDir)
    const whose = owner ? `belongs to ${owner}` : 'is closed to you'
    throw new TallyError(
      'PRECONDITION_FAILED',
      `The stack in ${dataDir} ${whose}: run this as ${owner ?? 'its owner'}, or name a folder of your own in TALLY_DATA_DIR`,
    )
  }
}

function ownerOf(path: string): string | undefined {
  try {
    const { uid } = statSync(path)
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(uid))
    return line?.split(':')[0] ?? `user ${uid}`
  } catch {
    return undefined // A folder above is closed, too
  }
}
