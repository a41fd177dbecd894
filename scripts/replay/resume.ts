import type { Command } from 'commander'
import type { RunOptions } from '../../consumers/operations/replay/mode.ts'
import { resumeReplay } from '../../consumers/operations/replay/run/run-replay.ts'
import { showReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { loadConfig } from '../../infra/config.ts'
import { addSubcommand } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { withReplay } from '../../consumers/operations/replay/open-replay.ts'
import { runFollowed } from './progress.ts'
import { running, runOptionsOf } from './run-options.ts'

export function addResumeCommand(program: Command, signal: AbortSignal): void {
  running(
    addSubcommand(
      program,
      'resume',
      'Resume a replay from its current position',
      ['npm run replay -- resume 7', 'npm run replay -- resume 7 --rate 50 --skip-failed'],
      'Options that are not given stay as they were; --max and --until hold for one run.',
    ),
  )
    .argument('<id>', 'replay, as `list` shows it', integer(1))
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
