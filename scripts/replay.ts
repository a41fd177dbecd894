import type { Command } from 'commander'
import { createCommand, runCommand } from './cli/command.ts'
import type { CommandFrame } from './cli/command.ts'
import { addListCommand } from './replay/list.ts'
import { addPlanCommand } from './replay/plan.ts'
import { addRehearseCommand } from './replay/dry-run.ts'
import { addResumeCommand } from './replay/resume.ts'
import { addRunCommand } from './replay/run.ts'
import { addShowCommand } from './replay/show.ts'
import { addCancelCommand, addPauseCommand, addUndoCommand } from './replay/control.ts'

export function replayCommand({ signal }: CommandFrame): Command {
  const program = createCommand('replay', 'Reprocess past events by a plan, without any effect twice', [
    'npm run replay -- plan --mode redeliver --group inventory --from -2h --out plan.json',
    'npm run replay -- run plan.json --dry-run',
    'npm run replay -- run plan.json --why "prove that nothing is missing"',
    'npm run replay -- list',
    'npm run replay -- resume 7 --rate 100',
  ])
  addPlanCommand(program, signal)
  addRehearseCommand(program, signal)
  addRunCommand(program, signal)
  addResumeCommand(program, signal)
  addPauseCommand(program, signal)
  addCancelCommand(program, signal)
  addUndoCommand(program, signal)
  addListCommand(program)
  addShowCommand(program)
  return program
}

if (import.meta.main) await runCommand(replayCommand)
