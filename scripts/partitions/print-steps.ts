import { say } from '../cli.ts'
import type { ChangeOptions, Step } from './change-partitions.ts'

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
  let shown = { step: '', at: 0 }
  return (step, left) => {
    if (left !== '' && shown.step === step && now() - shown.at < everyMs) return
    shown = { step, at: now() }
    say(`${titles[step]}: ${left || 'done'}`)
  }
}
