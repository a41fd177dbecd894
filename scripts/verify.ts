import { InvalidArgumentError } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import { createCommand, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { explainFailure } from '../infra/explain-failure.ts'
import { printVerdict, printVerdictJson } from './verify/print-verdict.ts'
import { verify } from './verify/verify.ts'

await runCommand(({ signal }) =>
  createCommand(
    'verify',
    "Prove that every event took effect exactly once, from the topics, the tables and the gateway's journal.\nExit code 0: proved; 1: an invariant is violated; 2: could not be checked.",
    ['npm run verify', 'npm run verify -- --settle 120', 'npm run verify -- --json | jq .findings'],
  )
    .option('--settle <seconds>', 'wait so long until nothing is on its way', seconds, 30)
    .action(async ({ settle, json, trace }: CommonOptions & { settle: number }) => {
      const config = loadConfig()
      try {
        const verdict = await verify(config, {
          settleWithinMs: settle * 1_000,
          log: createLogger('verify', config.logLevel === 'info' ? 'error' : config.logLevel),
          signal,
        })
        if (json) printVerdictJson(verdict)
        else printVerdict(verdict)
        if (!verdict.ok) process.exitCode = 1
      } catch (error) {
        if (signal.aborted) throw error
        say(`Could not be checked. ${explainFailure(error).sentence}`)
        if (trace && error instanceof Error) say(String(error.stack))
        process.exitCode = 2
      }
    }),
)

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 86_400)) throw new InvalidArgumentError('must be a number of seconds, 0 to 86400')
  return value
}
