import type { Command } from 'commander'
import { checkDrift } from '../../consumers/operations/replay/plan/check-drift.ts'
import { readPlanFile } from '../../consumers/operations/replay/plan/plan-file.ts'
import { rehearsePlan } from '../../consumers/operations/replay/rehearse/rehearse-plan.ts'
import type { RehearseOptions } from '../../consumers/operations/replay/rehearse/rehearse-plan.ts'
import { loadConfig } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { examplesText, say } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { withReplayContext } from './context.ts'
import { printRehearsal } from './print-rehearsal.ts'

export function addRehearseCommand(program: Command, signal: AbortSignal): void {
  program
    .command('rehearse')
    .description('show what some events of a plan would change and send; nothing of it happens')
    .argument('<plan>', 'the file `plan` has written')
    .option('--first <events>', 'the first in time (default: 100)', integer(1))
    .option('--sample <events>', 'instead, so many drawn from all', integer(1))
    .option('--seed <number>', 'draws the same events for the same number (default: 1)', integer(0))
    .addHelpText(
      'after',
      examplesText([
        'npm run replay -- rehearse plan.json',
        'npm run replay -- rehearse plan.json --sample 50 --seed 3',
      ]),
    )
    .action(async (path: string, _options: unknown, command: Command) => {
      const { first, sample, seed, json } = command.optsWithGlobals<RehearseOptions & CommonOptions>()
      if (first !== undefined && sample !== undefined) command.error('--first or --sample, not both')
      const plan = await readPlanFile(path)
      await withReplayContext(loadConfig(), plan.group, signal, async (context) => {
        const { fatal } = await checkDrift(context, plan)
        if (fatal.length > 0)
          throw new TallyError('PRECONDITION_FAILED', `The plan no longer holds: ${fatal.join('; ')}`)
        printRehearsal(await rehearsePlan(context, plan, { first, sample, seed }, signal), context.codec, json ?? false)
      })
      say('Rehearsed only: nothing was changed, published or called')
    })
}
