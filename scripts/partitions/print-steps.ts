import { say } from '../cli/command.ts'
import { duration } from '../cli/figures.ts'
import type { ChangeOptions, Step } from '../../consumers/operations/partitions/change-partitions.ts'

const titles: Readonly<Record<Step, string>> = {
  topics: 'Topics of the next generation',
  drain: 'Reading the old topics to the end',
  switch: 'Switching all services',
  claim: 'Replicas take over the new lanes',
  seal: 'Old topics take no more',
}

const everyMs = 1_000

/** Tells on standard error which step is under way and what is left of it: when that begins, once a second, and at its end. */
export function printSteps(now: () => number = () => performance.now()): ChangeOptions['onStep'] {
  let under: { step: Step; since: number; shownAt: number } | undefined
  return (step, left) => {
    const same = under?.step === step ? under : undefined
    if (left !== '' && same && now() - same.shownAt < everyMs) return
    under = { step, since: same?.since ?? now(), shownAt: now() }
    say(`${titles[step]}: ${left || `done, ${duration(now() - under.since)}`}`)
  }
}
