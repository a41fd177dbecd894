import { printJson, printTable, say } from '../cli/command.ts'
import { printVerdict } from '../verify/print-verdict.ts'
import type { Verdict } from '../verify/verify.ts'
import type { CleanedUp } from './clean-up.ts'
import { describeMishap } from './fault-plan.ts'
import type { Mishap } from './fault-plan.ts'
import type { Sent } from './load.ts'
import type { ServiceLogs } from './read-logs.ts'
import type { Recovery } from './recovery.ts'

export interface Happened {
  readonly mishap: Mishap
  /** From its end until everything that had something to do had moved; undefined if that was not waited for. */
  readonly recovery: Recovery | undefined
}

export const hasRecovered = ({ recovery }: Happened): boolean => !recovery || recovery.stuck.length === 0

/** For people: `kill -9 payment: recovered in 3.1 s`. */
export function describeHappened(happened: Happened): string {
  const { mishap, recovery } = happened
  const what = describeMishap(mishap)
  if (!recovery) return `${what}: not waited for`
  if (hasRecovered(happened)) return `${what}: recovered in ${seconds(recovery.tookMs)}`
  return `${what}: NOT recovered after ${seconds(recovery.tookMs)}: ${recovery.stuck.slice(0, 12).join('; ')}`
}

export interface ChaosReport {
  readonly ok: boolean
  /** The command that does the same again. */
  readonly command: string
  readonly sent: Sent
  readonly happened: readonly Happened[]
  readonly logs: ServiceLogs
  readonly duplicatesDropped: number
  readonly cleanedUp: CleanedUp
  readonly verdict: Verdict
  /** Kept when something is wrong. */
  readonly dataDir: string
}

/** What a fault is counted as: `network: kafka stall`, `kill: payment`. */
const familyOf = (mishap: Mishap): string => {
  switch (mishap.kind) {
    case 'network':
      return `network: ${mishap.fault.kind}`
    case 'kill':
    case 'freeze':
      return `${mishap.kind}: ${mishap.process.replace(/-\d+$/, '')}`
    case 'terminate':
      return 'terminate database sessions'
    case 'steal':
      return 'a second owner of a lane'
    case 'full-disk':
      return 'full disk'
  }
}

const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`)

const slowest = (happened: readonly Happened[]): Happened | undefined =>
  happened.toSorted((a, b) => (b.recovery?.tookMs ?? 0) - (a.recovery?.tookMs ?? 0))[0]

export function printReport(report: ChaosReport): void {
  const { happened, sent, logs, cleanedUp, verdict } = report
  const families = [...Map.groupBy(happened, ({ mishap }) => familyOf(mishap))].sort(([a], [b]) => (a < b ? -1 : 1))
  printTable(
    ['Fault', 'times', 'slowest recovery'],
    families.map(([family, each]) => [family, each.length, seconds(slowest(each)?.recovery?.tookMs)]),
  )
  const worst = slowest(happened)
  printTable(
    ['Figure', 'value'],
    [
      ['faults injected', String(happened.length)],
      ['slowest recovery', worst ? `${seconds(worst.recovery?.tookMs)} (${describeMishap(worst.mishap)})` : '–'],
      ['not recovered', String(happened.filter((each) => !hasRecovered(each)).length)],
      ['orders sent', `${sent.orders}, ${sent.cancellations} cancellations`],
      [
        'bad input sent',
        `${sent.duplicates} duplicates, ${sent.conflicting} conflicting, ${sent.late} late, ${sent.malformed} malformed`,
      ],
      ['attempts of former owners refused', String(logs.fenced)],
      ['lanes set aside for other reasons', String(logs.setAside)],
      ['duplicates dropped', String(report.duplicatesDropped)],
      ['parked events', `${cleanedUp.redriven} redriven, ${cleanedUp.dropped} dropped, ${cleanedUp.left} left`],
      ...[...logs.fatal].map(([reason, times]) => [`ended itself: ${reason.slice(0, 60)}`, String(times)]),
    ],
  )
  printVerdict(verdict)
  say(`${report.ok ? 'Green' : 'RED'}. The same again: ${report.command}`)
  if (!report.ok) say(`Data and logs are kept in ${report.dataDir}`)
}

export function printReportJson({ logs, verdict, happened, ...report }: ChaosReport): void {
  printJson({
    ...report,
    faults: happened.map(({ mishap, recovery }) => ({ ...mishap, recovery })),
    logs: { ...logs, fatal: Object.fromEntries(logs.fatal) },
    verdict: { ...verdict, orders: Object.fromEntries(verdict.orders) },
  })
}
