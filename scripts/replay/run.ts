import type { Command } from 'commander'
import { Option } from 'commander'
import type { ReplayContext, RunOptions } from '../../consumers/operations/replay/mode.ts'
import { modes } from '../../consumers/operations/replay/run/modes.ts'
import type { Plan } from '../../consumers/operations/replay/plan.ts'
import { readPlanFile } from '../../consumers/operations/replay/plan/plan-file.ts'
import { refuse, startReplay } from '../../consumers/operations/replay/run/run-replay.ts'
import { loadConfig } from '../../infra/config.ts'
import { addSubcommand, printJson, say } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { actorOf, confirmed } from '../cli/consent.ts'
import { withReplayContext } from '../../consumers/operations/replay/open-replay.ts'
import { bytes, count } from '../cli/figures.ts'
import { terminalWidth, wrap } from '../cli/terminal.ts'
import { dryRunCommand, sampling } from './dry-run.ts'
import { runFollowed } from './progress.ts'
import { running, runOptionsOf } from './run-options.ts'

type Asked = RunOptions &
  CommonOptions & { why?: string; yes?: boolean; actor?: string; dryRun?: boolean; rehearse?: boolean }

export function addRunCommand(program: Command, signal: AbortSignal): void {
  const command = addSubcommand(program, 'run', 'Run a plan; it can be paused and resumed at any time', [
    'npm run replay -- run plan.json --dry-run --sample 50',
    'npm run replay -- run plan.json --why "prove that nothing is missing"',
    'npm run replay -- run plan.json --why "wrong discount" --rate 200 --max-lag 1000 --yes',
  ])
  sampling(running(command))
    .argument('<plan>', 'file that `plan` has written')
    .option('--why <reason>', 'reason, kept with the replay; required unless --dry-run is given')
    .option('--dry-run', 'show what some events of the plan would change and send, and change nothing')
    .addOption(new Option('--rehearse', 'the same as --dry-run').hideHelp())
    .addOption(
      new Option(
        '--emit <kind>',
        'reprocess: with `corrected` the resulting events get new ids, so that consumers process them as new',
      ).choices(['same', 'corrected']),
    )
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--actor <name>', 'name kept with the replay (default: your user name)')
    .action(async (path: string, _options: unknown, command: Command) => {
      const { why, dryRun, rehearse, ...asked } = command.optsWithGlobals<Asked>()
      if (dryRun || rehearse) return dryRunCommand(path, command, signal)
      if (why === undefined) return command.error("error: required option '--why <reason>' not specified")
      const plan = await readPlanFile(path)
      await withReplayContext(loadConfig(), plan.group, signal, (context) =>
        run(context, plan, { ...asked, why }, signal),
      )
    })
}

async function run(
  context: ReplayContext,
  plan: Plan,
  asked: Asked & { why: string },
  signal: AbortSignal,
): Promise<void> {
  const { why, json, yes } = asked
  const options = runOptionsOf(asked)
  await refuse(context, plan, options)
  sayPlan(plan)
  if (!yes && !(await confirmed('Run it?'))) {
    say('Nothing was done.')
    if (json) printJson({ event: 'declined' })
    return
  }
  await runFollowed(plan, { json, signal }, (by) =>
    startReplay(context, plan, options, { actor: actorOf(asked), why, ...by }),
  )
}

function sayPlan(plan: Plan): void {
  const sum = (of: 'selected' | 'bytes') => plan.partitions.reduce((total, range) => total + range[of], 0)
  const topics = [...new Set(plan.partitions.map(({ topic }) => topic))]
  const made = `planned ${age(Date.now() - Date.parse(plan.createdAt))} ago`
  const what = `${plan.mode} of ${count(sum('selected'), 'event')}, ${bytes(sum('bytes'))}, from ${topics.join(', ')}, ${made}`
  for (const line of wrap(`${what}\n${modes[plan.mode].describe(plan)}`, terminalWidth())) say(line)
}
