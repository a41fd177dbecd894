import type { Command } from 'commander'
import type { RunOptions } from '../../consumers/operations/replay/mode.ts'
import { resumeReplay } from '../../consumers/operations/replay/run/run-replay.ts'
import { showReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { loadConfig } from '../../infra/config.ts'
import { examplesText } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { withReplay } from './known-replays.ts'
import { runFollowed } from './progress.ts'
import { running, runOptionsOf } from './run-options.ts'

export function addResumeCommand(program: Command, signal: AbortSignal): void {
  running(
    program
      .command('resume')
      .description(
        'go on with a replay where it is, as it was run so far unless told otherwise; --max and --until hold once',
      ),
  )
    .argument('<id>', 'as `list` shows it', integer(1))
    .addHelpText(
      'after',
      examplesText(['npm run replay -- resume 7', 'npm run replay -- resume 7 --rate 50 --skip-failed']),
    )
    .action(async (id: number, _options: unknown, command: Command) => {
      const asked = command.optsWithGlobals<RunOptions & CommonOptions>()
      await withReplay(loadConfig(), id, signal, async (context) => {
        const { plan, partitions } = await showReplay(context, id, 0)
        const scanned = partitions.reduce((sum, range) => sum + range.scanned, 0)
        await runFollowed(plan, { json: asked.json, signal, scanned }, (by) =>
          resumeReplay(context, id, runOptionsOf(asked), by),
        )
      })
    })
}
