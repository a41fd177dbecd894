import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TallyError } from '../../infra/errors.ts'

/**
 * Refuses to work on the stack of another user, which could be neither inspected nor stopped.
 * @throws TallyError PRECONDITION_FAILED
 */
export function refuseForeignStack(dataDir: string): void {
  try {
    accessSync(join(dataDir, 'run'), constants.R_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return // No stack was started here yet
    const owner = ownerOf(dataDir)
    const whose = owner ? `belongs to ${owner}` : 'is not accessible'
    throw new TallyError(
      'PRECONDITION_FAILED',
      `The stack in ${dataDir} ${whose}: run this as ${owner ?? 'its owner'}, or set TALLY_DATA_DIR to your own folder`,
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
    return undefined // A parent folder is not accessible, either
  }
}
