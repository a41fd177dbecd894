import type { World } from '../world.ts'
import { checkCalls } from './calls.ts'
import { checkHistories } from './histories.ts'
import { checkLedger } from './ledger.ts'
import { checkPublication } from './publication.ts'

/** Looks at a world that has come to its end; each finding is a sentence. */
export const findings = (world: World): string[] => [
  ...checkLedger(world),
  ...checkHistories(world),
  ...checkPublication(world),
  ...checkCalls(world),
]
