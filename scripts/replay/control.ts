import type { Command } from 'commander'
import type { ReplayContext } from '../../consumers/operations/replay/mode.ts'
import { modes } from '../../consumers/operations/replay/run/modes.ts'
import type { ReplayRow } from '../../consumers/operations/replay/run/replay-table.ts'
import { cancelReplay, pauseReplay, undoReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { conditionOf } from '../../consumers/operations/replay/run/target-lock.ts'
import { loadConfig } from '../../infra/config.ts'
import { addSubcommand, printJson, say } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { confirmed } from '../cli/consent.ts'
import { figuresSentence } from './figures.ts'
import { withReplay, withReplays } from '../../consumers/operations/replay/open-replay.ts'

export function addPauseCommand(program: Command, signal: AbortSignal): void {
  addSubcommand(program, 'pause', 'Pause a replay and wait until it has stopped', [
    'npm run replay -- pause 7',
    'npm run replay -- resume 7',
  ])
    .argument('<id>', 'replay, as `list` shows it', integer(1))
    .action(async (id: number, _options: unknown, command: Command) => {
      const row = await withReplays(loadConfig(), (pool) => pauseReplay({ pool }, id, signal))
      tell(row, command, `. Next: npm run replay -- resume ${id}`)
    })
}

export const addCancelCommand = (program: Command, signal: AbortSignal): void =>
  addEnding(command(program, 'cancel', 'Cancel a replay for good and keep what it has done'), {
    signal,
    question: ({ id, plan, figures }) => `Cancel replay ${id}? So far ${figuresSentence(plan, figures)}.`,
    work: (context, { id }) => cancelReplay(context, id, signal),
  })

export const addUndoCommand = (program: Command, signal: AbortSignal): void =>
  addEnding(command(program, 'undo', 'Undo a replay that has ended: restore the state before it, where possible'), {
    signal,
    question: ({ id, mode, target }) => `Undo replay ${id}, the ${mode} of ${target}?`,
    work: (context, { id }) => undoReplay(context, id, { signal, onNote: changesSaid() }),
    // Asked for what cannot be, nobody is asked back
    mayAsk: ({ mode, endedAt, state }) =>
      endedAt !== null && state !== 'undone' && typeof modes[mode].undo !== 'string',
  })

const command = (program: Command, name: string, summary: string): Command =>
  addSubcommand(program, name, summary, [`npm run replay -- ${name} 7`, `npm run replay -- ${name} 7 --yes`])

interface Ending {
  readonly signal: AbortSignal
  question(row: ReplayRow): string
  work(context: ReplayContext, row: ReplayRow): Promise<ReplayRow>
  mayAsk?(row: ReplayRow): boolean
}

function addEnding(
  command: Command,
  { signal, question, work, mayAsk = ({ endedAt }) => endedAt === null }: Ending,
): void {
  command
    .argument('<id>', 'replay, as `list` shows it', integer(1))
    .option('-y, --yes', 'do not ask for confirmation')
    .action((id: number, options: { yes?: boolean }) =>
      withReplay(loadConfig(), id, signal, async (context, row) => {
        if (!options.yes && mayAsk(row) && !(await confirmed(question(row)))) return say('Nothing was done')
        tell(await work(context, row), command, '')
      }),
    )
}

/** Says what is being waited for, once each. */
function changesSaid(): (text: string) => void {
  let last: string | undefined
  return (text) => {
    if (text !== last) say(text)
    last = text
  }
}

function tell(row: ReplayRow, command: Command, more: string): void {
  const { id, plan, figures } = row
  const { json } = command.optsWithGlobals<CommonOptions>()
  if (json) printJson({ id, state: row.state, reason: row.reason, figures })
  else say(`Replay ${id} is ${conditionOf(row)}: ${figuresSentence(plan, figures)}${more}`)
}
