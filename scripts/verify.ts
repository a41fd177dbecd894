import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { stackOf } from '../infra/errors.ts'
import { createLogger } from '../infra/logger.ts'
import { createCommand, runCommand, say } from './cli/command.ts'
import { during } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { explainFailure } from '../infra/explain-failure.ts'
import { printVerdictJson, verdictReport } from './verify/print-verdict.ts'
import type { EventQueue } from './verify/queues/drain-events.ts'
import { verify } from './verify/verify.ts'

export const verifyCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'verify',
    'Prove that every event took effect exactly once',
    [
      'npm run verify',
      'npm run verify -- --settle 120',
      'npm run verify -- --json | jq .findings',
      'npm run verify -- --queue rabbitmq:events',
    ],
    "Compares the topics, the tables and the gateway's journal. Exit code 0: proved; 1: an invariant is violated; 2: could not be checked.",
  )
    .option('--settle <seconds>', 'drain timeout in seconds: how long to wait for in-flight work', seconds, 30)
    .option(
      '--queue <server:name>',
      'empty this queue of forwarded events, and compare them with the topics',
      eventQueue,
    )
    .action(async ({ settle, queue, json, trace }: CommonOptions & { settle: number; queue?: EventQueue }) => {
      const config = loadConfig()
      try {
        const verifying = verify(config, {
          settleWithinMs: settle * 1_000,
          queue,
          log: createLogger('verify', config.logLevel === 'info' ? 'error' : config.logLevel),
          signal,
        })
        const verdict = await during('Reading all topics and tables', verifying)
        if (json) printVerdictJson(verdict)
        else printReport(verdictReport(verdict))
        if (!verdict.ok) process.exitCode = 1
      } catch (error) {
        if (signal.aborted) throw error
        say(`Could not be checked. ${explainFailure(error).sentence}`)
        if (trace && error instanceof Error) say(String(stackOf(error)))
        process.exitCode = 2
      }
    })

if (import.meta.main) await runCommand(verifyCommand)

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 86_400)) throw new InvalidArgumentError('Expected a number of seconds from 0 to 86400.')
  return value
}

function eventQueue(text: string): EventQueue {
  const [, server, queue] = /^(rabbitmq|sqs):(.+)$/.exec(text) ?? []
  if (queue === undefined) throw new InvalidArgumentError('Expected rabbitmq:<name> or sqs:<name>.')
  return { server: server as EventQueue['server'], queue }
}
