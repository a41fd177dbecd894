import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pretty from 'pino-pretty'
import { TallyError } from '../../infra/errors.ts'
import { printableLogLine } from '../../infra/text/printable.ts'
import { textLines } from '../../infra/text/text-lines.ts'

export interface LogOptions {
  follow?: boolean
  /** Number of lines from the end of each log. */
  lines: number
  /** Print lines unformatted: JSON of the services, plain text of the servers. */
  json?: boolean
}

/**
 * Prints the end of one log or of all logs of a stack.
 * @throws TallyError USAGE if there is no such log, PRECONDITION_FAILED if there is none at all
 */
export async function showLogs(
  dataDir: string,
  name: string | undefined,
  { follow, lines, json }: LogOptions,
): Promise<void> {
  const folder = join(dataDir, 'logs')
  const files = logsOf(folder, name)
  const args = [...(follow ? ['-F'] : []), ...(json ? ['-q'] : []), '-n', String(lines), '--', ...files]
  const tail = spawn('tail', args, { cwd: folder, stdio: ['ignore', json ? 'inherit' : 'pipe', 'inherit'] })
  if (tail.stdout)
    Readable.from(printableLog(tail.stdout)).pipe(
      pretty({ destination: 1, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'service', singleLine: true }),
    )
  await once(tail, 'exit')
}

/** Logs quote what came from outside. */
async function* printableLog(log: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const { text, fault } of textLines(log))
    yield `${text === undefined ? `(${fault})` : printableLogLine(text)}\n`
}

function logsOf(folder: string, name: string | undefined): string[] {
  const known = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.log')) : []
  const chosen = name === undefined ? known : known.filter((file) => file === `${name}.log`)
  if (chosen.length > 0) return chosen
  if (known.length === 0)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `No logs in ${folder}: nothing has run yet. \`npm start\` starts the stack`,
    )
  const names = known.map((file) => file.slice(0, -'.log'.length)).sort()
  throw new TallyError('USAGE', `No process "${name}" has a log: there are ${names.join(', ')}`)
}
