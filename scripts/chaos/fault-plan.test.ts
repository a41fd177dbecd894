import { expect, test } from '@jest/globals'
import { describeMishap, faultPlan } from './fault-plan.ts'
import type { MishapKind, PlanOptions, Step } from './fault-plan.ts'

const kinds: readonly MishapKind[] = ['kill', 'freeze', 'network', 'terminate', 'steal', 'full-disk']
const options = (seed: number, only = kinds): PlanOptions => ({
  seed,
  kinds: only,
  processes: { services: ['payment', 'inventory'], simulators: ['gateway'], servers: ['kafka', 'postgres'] },
  sessionTimeoutMs: 3_000,
})
function first(count: number, plan: Iterable<Step>): Step[] {
  const steps: Step[] = []
  for (const step of plan) if (steps.push(step) === count) break
  return steps
}

test('a seed decides everything', () => {
  expect(first(200, faultPlan(options(7)))).toEqual(first(200, faultPlan(options(7))))
  expect(first(200, faultPlan(options(8)))).not.toEqual(first(200, faultPlan(options(7))))
})

test('every kind occurs, every process is hit, and a freeze outlasts the session', () => {
  const mishaps = first(1_000, faultPlan(options(1))).map(({ mishap }) => mishap)
  expect(new Set(mishaps.map(({ kind }) => kind))).toEqual(new Set(kinds))
  const hit = mishaps.flatMap((mishap) => ('process' in mishap ? [mishap.process] : []))
  expect(new Set(hit)).toEqual(new Set(['payment', 'inventory', 'gateway', 'kafka', 'postgres']))
  for (const mishap of mishaps) if (mishap.kind === 'freeze') expect(mishap.forMs).toBeGreaterThan(3_000)
  for (const mishap of mishaps) expect(describeMishap(mishap)).toMatch(/^\S.*\S$/)
})

test('queues are hit where there are some', () => {
  const queues = { networks: ['rabbitmq'], processes: ['rabbitmq', 'bridge-rabbitmq'] } as const
  const mishaps = first(500, faultPlan({ ...options(1), queues })).map(({ mishap }) => mishap)
  const hit = mishaps.flatMap((mishap) => ('process' in mishap ? [mishap.process] : []))
  for (const process of queues.processes) expect(hit).toContain(process)
  expect(mishaps.some((mishap) => mishap.kind === 'network' && mishap.network === 'rabbitmq')).toBe(true)
})

test('only the chosen kinds occur', () => {
  const mishaps = first(100, faultPlan(options(1, ['steal']))).map(({ mishap }) => mishap.kind)
  expect(new Set(mishaps)).toEqual(new Set(['steal']))
})
