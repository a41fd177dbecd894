import type { Command } from 'commander'
import type { DryRunOptions } from '../../consumers/operations/replay/dry-run/dry-run-plan.ts'
import { dryRunPlan } from '../../consumers/operations/replay/dry-run/dry-run-plan.ts'
import { checkDrift } from '../../consumers/operations/replay/plan/check-drift.ts'
import { readPlanFile } from '../../consumers/operations/replay/plan/plan-file.ts'
import { loadConfig } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { integer } from '../cli/arguments.ts'
import { addSubcommand } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { during } from '../cli/progress.ts'
import { withReplayContext } from '../../consumers/operations/replay/open-replay.ts'
import { printDryRun } from './print-dry-run.ts'

/** Which events of the plan a dry run takes. */
export const sampling = (command: Command): Command =>
  command
    .option('--first <events>', 'dry run: the first events in time (default: 100)', integer(1))
    .option('--sample <events>', 'dry run: a random sample of this size instead of the first events', integer(1))
    .option('--seed <number>', 'dry run: the same number draws the same sample (default: 1)', integer(0))

export function addRehearseCommand(program: Command, signal: AbortSignal): void {
  sampling(
    addSubcommand(program, 'rehearse', 'Show what a replay would change and send; same as run --dry-run', [
      'npm run replay -- rehearse plan.json',
      'npm run replay -- rehearse plan.json --sample 50 --seed 3',
    ]),
  )
    .argument('<plan>', 'file that `plan` has written')
    .action((path: string, _options: unknown, command: Command) => dryRunCommand(path, command, signal))
}

/** Shows what a replay would do to some events of the plan. */
export async function dryRunCommand(path: string, command: Command, signal: AbortSignal): Promise<void> {
  const { first, sample, seed, json } = command.optsWithGlobals<DryRunOptions & CommonOptions>()
  if (first !== undefined && sample !== undefined) command.error('--first or --sample, not both')
  const plan = await readPlanFile(path)
  await withReplayContext(loadConfig(), plan.group, signal, async (context) => {
    const { fatal } = await checkDrift(context, plan)
    if (fatal.length > 0)
      throw new TallyError('PRECONDITION_FAILED', `The plan is no longer valid: ${fatal.join('; ')}`)
    const trying = dryRunPlan(context, plan, { first, sample, seed }, signal)
    printDryRun(await during('Trying the events without effect', trying), context.codec, json ?? false)
  })
}
