import { createInterface } from 'node:readline/promises'
import { userInfo } from 'node:os'
import { TallyError } from '../../infra/errors.ts'

/** Who acts, for the audit. */
export const actorOf = ({ actor }: { actor?: string }): string => actor ?? userName()

/** @throws TallyError USAGE if there is nobody to ask */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new TallyError('USAGE', 'Nothing was done: there is no terminal to ask, add --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.()}` // In a container he may have no name
  }
}
