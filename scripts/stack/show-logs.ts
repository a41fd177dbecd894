import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import pretty from 'pino-pretty'
import { TallyError } from '../../infra/errors.ts'

export interface LogOptions {
  follow?: boolean
  /** Of each log, from its end. */
  lines: number
  /** As the processes wrote them: JSON lines, those of the servers plain text. */
  json?: boolean
}

/**
 * Shows the ends of the logs of a stack, one or all.
 * @throws TallyError USAGE when there is none of that name
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
  tail.stdout?.pipe(
    pretty({ destination: 1, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'service', singleLine: true }),
  )
  await once(tail, 'exit')
}

function logsOf(folder: string, name: string | undefined): string[] {
  const known = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.log')) : []
  const chosen = name === undefined ? known : known.filter((file) => file === `${name}.log`)
  if (chosen.length > 0) return chosen
  const names = known.map((file) => file.slice(0, -'.log'.length)).join(', ') || 'none yet'
  throw new TallyError(
    'USAGE',
    name === undefined ? `No logs in ${folder}` : `No log of "${name}"; there are: ${names}`,
  )
}
