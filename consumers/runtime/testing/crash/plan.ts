import { createHash } from 'node:crypto'

/** When a replica kills itself: when it passes a step for the n-th time, counted from 1. */
export interface CrashPoint {
  readonly step: string
  readonly passing: number
}

/** A step of an undisturbed run. */
export interface PassedStep {
  readonly step: string
  readonly times: number
}

/** Crashes to try, given the steps. Each try is one crash, or several without an undisturbed run in between. */
export type CrashPlan = (steps: readonly PassedStep[]) => CrashPoint[][]

/**
 * A crash at the first passing of every step, one at a later passing of every step that is passed more than once, and after
 * the first crash at every fourth step a second one during the recovery.
 * @param seed selects the later passing and the second crash
 */
export const everyStep =
  (seed = 1): CrashPlan =>
  (steps) => {
    const once = steps.map(({ step }) => [{ step, passing: 1 }])
    const later = steps
      .filter(({ times }) => times > 1)
      .map(({ step, times }) => [{ step, passing: 2 + (chance(seed, step) % (times - 1)) }])
    const twice = steps
      .filter((_, index) => index % 4 === seed % 4)
      .map(({ step }) => [step, steps[chance(seed, `after ${step}`) % steps.length]?.step ?? step])
      .map((both) => both.map((step) => ({ step, passing: 1 })))
    return [...once, ...later, ...twice]
  }

/** A sample of those, selected by the seed. */
export const someSteps =
  (count: number, seed = 1): CrashPlan =>
  (steps) =>
    everyStep(seed)(steps)
      .map((crashes) => ({ crashes, place: chance(seed, describeCrashes(crashes)) }))
      .sort((a, b) => a.place - b.place)
      .slice(0, count)
      .map(({ crashes }) => crashes)

/** Readable form: `before ledger_move; then after send, passing 2`. */
export const describeCrashes = (crashes: readonly CrashPoint[]): string =>
  crashes.map(({ step, passing }) => (passing > 1 ? `${step}, passing ${passing}` : step)).join('; then ') || 'no crash'

/** A pseudorandom integer that depends on seed and text only. */
const chance = (seed: number, text: string): number =>
  createHash('sha256').update(`${seed} ${text}`).digest().readUInt32LE()
