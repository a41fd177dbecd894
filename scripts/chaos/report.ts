import { printJson } from '../cli/command.ts'
import { count, duration } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { verdictReport } from '../verify/print-verdict.ts'
import type { Verdict } from '../verify/verify.ts'
import type { CleanedUp } from './clean-up.ts'
import { describeMishap } from './fault-plan.ts'
import type { Mishap } from './fault-plan.ts'
import type { Sent } from './load.ts'
import type { ServiceLogs } from './read-logs.ts'
import type { QueueAccount } from './queues/queue-account.ts'
import type { Recovery } from './recovery.ts'

export interface Happened {
  readonly mishap: Mishap
  /** From the end of the fault until everything with work made progress; undefined if the run did not wait for it. */
  readonly recovery: Recovery | undefined
}

/** Whether everything went through the queues. */
export const isRight = (queues: Readonly<Record<string, QueueAccount>>): boolean =>
  Object.values(queues).every(({ violations }) => violations.length === 0)

export const hasRecovered = ({ recovery }: Happened): boolean => !recovery || recovery.stuck.length === 0

/** In words: `kill -9 payment: recovered in 3.1 s`. */
export function describeHappened(happened: Happened): string {
  const { mishap, recovery } = happened
  const what = describeMishap(mishap)
  if (!recovery) return `${what}: not waited for`
  if (hasRecovered(happened)) return `${what}: recovered in ${took(recovery)}`
  return `${what}: NOT recovered after ${took(recovery)}: ${recovery.stuck.slice(0, 12).join('; ')}`
}

export interface ChaosReport {
  readonly ok: boolean
  /** The command that repeats the run. */
  readonly command: string
  readonly sent: Sent
  readonly happened: readonly Happened[]
  readonly logs: ServiceLogs
  readonly duplicatesDropped: number
  readonly cleanedUp: CleanedUp
  readonly verdict: Verdict
  /** By server; empty without `--door`. */
  readonly queues: Readonly<Record<string, QueueAccount>>
  /** Kept if the run failed. */
  readonly dataDir: string
}

/** The row of the report that a fault counts in: `network: stall`, `kill: payment`. */
const familyOf = (mishap: Mishap): string => {
  switch (mishap.kind) {
    case 'network':
      return `network: ${mishap.fault.kind}`
    case 'kill':
    case 'freeze':
      return `${mishap.kind}: ${mishap.process.replace(/-\d+$/, '')}`
    case 'broker':
      return `${mishap.how} broker: ${mishap.role}, longest pause of a lane`
    case 'terminate':
      return 'terminate database sessions'
    case 'steal':
      return 'a second owner of a lane'
    case 'full-disk':
      return 'full disk'
  }
}

const took = (recovery: Recovery | undefined): string => (recovery ? duration(recovery.tookMs) : '–')

const slowest = (happened: readonly Happened[]): Happened | undefined =>
  happened.toSorted((a, b) => (b.recovery?.tookMs ?? 0) - (a.recovery?.tookMs ?? 0))[0]

/** The verdict on the run, the faults with their recoveries, and the proof. */
export function chaosReport(report: ChaosReport): Report {
  const { happened, sent, logs, cleanedUp, verdict, duplicatesDropped } = report
  const families = [...Map.groupBy(happened, ({ mishap }) => familyOf(mishap))].sort(([a], [b]) => (a < b ? -1 : 1))
  const worst = slowest(happened)
  const lost = happened.filter((each) => !hasRecovered(each)).length
  const proof = verdictReport(verdict)
  return {
    verdict: `${report.ok ? 'Green' : 'RED'}: ${count(happened.length, 'fault')} injected, ${count(lost)} not recovered. ${proof.verdict}`,
    parts: [
      {
        head: ['fault', 'times', 'slowest recovery'],
        rows: families.map(([family, each]) => [family, each.length, took(slowest(each)?.recovery)]),
      },
      {
        head: ['figure', 'value'],
        rows: [
          ['slowest recovery', worst ? `${took(worst.recovery)} (${describeMishap(worst.mishap)})` : '–'],
          ['orders sent', `${count(sent.orders)}, ${count(sent.cancellations)} cancellations`],
          [
            'bad input sent',
            `${sent.duplicates} duplicates, ${sent.conflicting} conflicting, ${sent.late} late, ${sent.malformed} malformed`,
          ],
          ['attempts of former owners refused', count(logs.fenced)],
          ['lanes set aside for other reasons', count(logs.setAside)],
          ['duplicates dropped', count(duplicatesDropped)],
          ['parked events', `${cleanedUp.redriven} redriven, ${cleanedUp.dropped} dropped, ${cleanedUp.left} left`],
          ...[...logs.fatal].map(([reason, times]) => [`process ended: ${reason}`, count(times)]),
        ],
      },
      ...queueParts(report.queues),
      ...(proof.parts ?? []),
      report.ok ? undefined : `Data and logs are kept in ${report.dataDir}`,
    ],
    next: report.command,
  }
}

function queueParts(queues: ChaosReport['queues']): NonNullable<Report['parts']> {
  const accounts = Object.entries(queues)
  if (accounts.length === 0) return []
  return [
    {
      head: ['queue', 'orders in', 'dead letters', 'events out', 'repeats of them'],
      rows: accounts.map(([server, account]) => [
        server,
        ...[account.orders, account.deadLetters, account.forwarded, account.repeated].map((each) => count(each)),
      ]),
    },
    ...accounts.flatMap(([server, { violations }]) => violations.map((each) => `${server}: ${each}`)),
  ]
}

export function printReportJson({ logs, verdict, happened, ...report }: ChaosReport): void {
  printJson({
    ...report,
    faults: happened.map(({ mishap, recovery }) => ({ ...mishap, recovery })),
    logs: { ...logs, fatal: Object.fromEntries(logs.fatal) },
    verdict: { ...verdict, orders: Object.fromEntries(verdict.orders) },
  })
}
