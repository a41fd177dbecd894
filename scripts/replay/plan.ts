// Stand-in until the real one is here: overwrite it
import type { Command } from 'commander'

export const addPlanCommand = (program: Command): Command => program
