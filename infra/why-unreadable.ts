import { describeError } from './errors.ts'

/** Source: Node.js, "Common system errors". */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
}

/** Why a file cannot be read, to follow `Cannot read <path>: `; without a full stop. */
export function whyUnreadable(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException
  return reasons[code] ?? describeError(error)
}
