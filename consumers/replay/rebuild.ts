// Stand-in until the real one is here: overwrite it
import type { ReplayMode } from './mode.ts'

export const rebuild: ReplayMode = {
  describe: () => 'Is not there yet.',
  objections: () => Promise.resolve(['rebuild is not there yet']),
  run: () => Promise.resolve(),
  abandon: () => Promise.resolve(),
}
