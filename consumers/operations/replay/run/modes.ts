import { copy } from './copy.ts'
import type { ReplayMode } from './mode.ts'
import type { Mode } from './plan.ts'
import { rebuild } from './rebuild.ts'
import { redeliver } from './redeliver.ts'
import { reprocess } from './reprocess.ts'

export const modes: Readonly<Record<Mode, ReplayMode>> = { redeliver, rebuild, reprocess, copy }
