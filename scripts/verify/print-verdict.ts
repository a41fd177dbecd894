import { printJson, printTable, say } from '../cli/command.ts'
import type { Finding } from './finding.ts'
import type { Verdict } from './verify.ts'

/** The proof, for people: orders by final state, each invariant with its figures, and what is wrong with it. */
export function printVerdict({ findings, orders, undeployed }: Verdict): void {
  printTable(
    ['Orders', 'Count'],
    (['completed', 'rejected', 'cancelled', 'pending'] as const).map((state) => [state, orders.get(state) ?? 0]),
  )
  process.stdout.write('\n')
  printTable(
    ['Invariant', 'Figures', ''],
    findings.map((finding) => [finding.invariant, finding.figures, verdictOf(finding)]),
  )
  if (undeployed.length > 0) say(`Not looked at, as they have no tables: ${undeployed.join(', ')}`)
  for (const { invariant, violations, examples } of findings) {
    if (examples.length === 0) continue
    const more = violations > examples.length ? ` (${examples.length} of ${violations.toLocaleString('en')})` : ''
    process.stdout.write(`\n${invariant}${more}:\n${examples.map((example) => `  ${example}\n`).join('')}`)
  }
}

const verdictOf = ({ violations }: Finding) => (violations === 0 ? 'ok' : 'VIOLATION')

/** The same for machines. */
export const verdictJson = ({ ok, orders, findings, undeployed }: Verdict): object => ({
  ok,
  orders: Object.fromEntries(orders),
  findings,
  undeployed,
})

export const printVerdictJson = (verdict: Verdict): void => printJson(verdictJson(verdict))
