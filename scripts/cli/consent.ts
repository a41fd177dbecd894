import { createInterface } from 'node:readline/promises'
import { userInfo } from 'node:os'
import { TallyError } from '../../infra/errors.ts'

/** The operator, for the audit. */
export const actorOf = ({ actor }: { actor?: string }): string => actor ?? userName()

/** Asks a question that is answered by yes or no. @throws TallyError USAGE without a terminal */
export const confirmed = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await asked(`${question} [y/N] `))

/** Asks for a name to be typed, before something is deleted for good. @throws TallyError USAGE without a terminal */
export const typed = async (name: string, purpose: string): Promise<boolean> =>
  (await asked(`Type ${name} to ${purpose}: `)) === name

async function asked(question: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw new TallyError('USAGE', 'Nothing was done: there is no terminal to ask. To confirm in advance, add --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(question)).trim()
  } finally {
    terminal.close()
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.()}` // Users of a container may have no name
  }
}
