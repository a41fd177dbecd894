import type { Command } from 'commander'
import { areas } from '../infra/doctor/finding.ts'
import type { Finding } from '../infra/doctor/finding.ts'
import { checkSettings } from '../infra/doctor/check-settings.ts'
import { examine } from '../consumers/operations/doctor/examine.ts'
import { environmentWith, loadConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { isTallyError } from '../infra/errors.ts'
import { adoptRunningSettings } from '../infra/stack/supervisor/running-settings.ts'
import { integer } from './cli/arguments.ts'
import { createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { during } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import type { Report } from './cli/report.ts'

interface Options extends CommonOptions {
  replicas: number
}

/** `npm run doctor`: everything that is wrong with settings and servers, in one run. */
export const doctorCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'doctor',
    'Check settings and servers, and say how to cure what is wrong',
    ['npm run doctor', 'npm run doctor -- --replicas 50', 'npm run doctor -- --json'],
    'It changes nothing. Exit code 1: something is wrong.',
  )
    .option('--replicas <count>', 'replicas of every service to plan connections for', integer(1), 1)
    .action(async ({ replicas, json }: Options) => {
      const env = environmentHere()
      const findings = await during('Checking', examine({ env, replicas }))
      if (json) printJson({ findings })
      else printReport(findings.length === 0 ? soundReport(loadConfig(env)) : doctorReport(findings))
      if (findings.length > 0) process.exitCode = 1
    })

// A wrong setting must not end it before it is checked, so it finds a running stack by itself
if (import.meta.main) await runCommand(doctorCommand, { ofRunningStack: false })

/** The environment of this process, completed with the variables of the stack that runs on its data folder. */
function environmentHere(): NodeJS.ProcessEnv {
  const env = environmentWith({})
  const { usable } = checkSettings(env)
  try {
    adoptRunningSettings(usable)
  } catch (error) {
    if (!isTallyError(error, 'CONFIG_INVALID')) throw error // What contradicts the stack's settings is examined as well
  }
  return { ...usable, ...env }
}

/** Queues are checked where they are set. */
function soundReport({ rabbitmq, sqs }: Config): Report {
  const unset = [...(rabbitmq.url === undefined ? ['rabbitmq'] : []), ...(sqs === undefined ? ['sqs'] : [])]
  return { verdict: `Nothing is wrong (checked: ${areas.filter((area) => !unset.includes(area)).join(', ')}).` }
}

function doctorReport(findings: readonly Finding[]): Report {
  const verdict = findings.length === 1 ? '1 problem.' : `${findings.length} problems.`
  return {
    verdict,
    parts: [
      {
        head: ['area', 'problem', 'cure'],
        rows: findings.map(({ area, problem, cure }) => [area, problem, cure]),
      },
    ],
  }
}
