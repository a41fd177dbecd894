import { copy } from '../copy/copy.ts'
import type { ReplayMode } from '../mode.ts'
import type { Mode } from '../plan.ts'
import { rebuild } from '../rebuild/rebuild.ts'
import { redeliver } from '../redeliver/redeliver.ts'
import { reprocess } from '../reprocess/reprocess.ts'

export const modes: Readonly<Record<Mode, ReplayMode>> = { redeliver, rebuild, reprocess, copy }
