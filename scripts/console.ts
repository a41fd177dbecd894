import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import { integer } from './cli/arguments.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { startConsole } from './console/server/start-console.ts'

export const consoleCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'console',
    'Serve the console of a running pipeline, until Ctrl-C',
    ['npm run console', 'npm run console -- --port 3000', 'TALLY_DATABASE_URL=postgres://… npm run console'],
    '`npm start` serves it as well. It listens on 127.0.0.1 only. Where the orders API asks for tokens, so does the console.',
  )
    .option('-p, --port <number>', 'port (default: TALLY_PORT_BASE + 83)', integer(0))
    .action(async ({ port, json }: CommonOptions & { port?: number }) => {
      const config = loadConfig()
      const log = createLogger('console', config.logLevel === 'info' ? 'error' : config.logLevel)
      const running = await startConsole({ config, log, port })
      if (json) printJson({ url: running.url })
      else say(`The console is at ${running.url}. Ctrl-C stops it.`)
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      await running.stop()
    })

if (import.meta.main) await runCommand(consoleCommand)
