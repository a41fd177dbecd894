import { say } from '../cli/command.ts'
import { duration } from '../cli/figures.ts'
import { terminalWidth, wrap } from '../cli/terminal.ts'
import type { ChangeOptions, Step } from '../../consumers/operations/partitions/change-partitions.ts'

const titles: Readonly<Record<Step, string>> = {
  topics: 'Creating the topics of the next generation',
  drain: 'Draining the old topics',
  switch: 'Switching all services',
  claim: 'Claiming the new lanes',
  seal: 'Closing the old topics',
}

const everyMs = 1_000

/** Reports each step on standard error: when it begins, once a second with what is left of it, and when it ends. */
export function printSteps(now: () => number = () => performance.now()): ChangeOptions['onStep'] {
  let under: { step: Step; since: number; shownAt: number } | undefined
  return (step, left) => {
    const same = under?.step === step ? under : undefined
    if (left !== '' && same && now() - same.shownAt < everyMs) return
    under = { step, since: same?.since ?? now(), shownAt: now() }
    const line = `${titles[step]}: ${left || `done, ${duration(now() - under.since)}`}`
    for (const part of wrap(line, terminalWidth())) say(part)
  }
}
