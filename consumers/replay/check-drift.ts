// Stand-in until the real one is here: overwrite it
import type { ReplayContext } from './mode.ts'
import type { Plan } from './plan.ts'

export const checkDrift = async (
  _context: ReplayContext,
  _plan: Plan,
): Promise<{ fatal: readonly string[]; drift: readonly string[] }> => ({ fatal: [], drift: [] })
