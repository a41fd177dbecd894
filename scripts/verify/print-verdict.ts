import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import type { Finding } from './finding.ts'
import type { Verdict } from './verify.ts'

const states = ['completed', 'rejected', 'cancelled', 'pending'] as const

/** The proof: orders by final state, each invariant with its figures, and the first violations. */
export function verdictReport({ ok, findings, orders, undeployed }: Verdict): Report {
  const violated = findings.filter(({ violations }) => violations > 0)
  const all = [...orders.values()].reduce((sum, each) => sum + each, 0)
  const moving = violated.some(({ id }) => id === 'settled')
  return {
    verdict: ok
      ? `Proved: every event took effect exactly once (${count(findings.length, 'invariant')}, ${count(all, 'order')}).`
      : `NOT proved: ${count(violated.length)} of ${count(findings.length, 'invariant')} violated.`,
    parts: [
      `Orders: ${states.map((state) => `${count(orders.get(state) ?? 0)} ${state}`).join(', ')}`,
      {
        head: ['', 'invariant', 'figures'],
        rows: findings.map(({ invariant, figures, violations }) => [
          violations === 0 ? 'ok' : 'VIOLATED',
          invariant,
          figures,
        ]),
      },
      undeployed.length > 0 ? `Not checked, because they have no tables: ${undeployed.join(', ')}` : undefined,
      ...findings.map(examplesOf),
    ],
    next: moving ? 'npm run verify -- --settle 120' : violated.length > 0 ? 'npm run stack -- status' : undefined,
  }
}

function examplesOf({ invariant, examples, reported }: Finding): string | undefined {
  if (examples.length === 0) return undefined
  const more = reported > examples.length ? ` (the first ${examples.length} of ${count(reported)})` : ''
  return [`${invariant}${more}:`, ...examples.map((example) => `  ${example}`)].join('\n')
}

/** The same for machines. */
export const verdictJson = ({ ok, orders, findings, undeployed }: Verdict): object => ({
  ok,
  orders: Object.fromEntries(orders),
  findings,
  undeployed,
})

export const printVerdictJson = (verdict: Verdict): void => printJson(verdictJson(verdict))
