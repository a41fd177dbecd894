import { count, duration, firstOf } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { Change } from '../../consumers/operations/replicas/change-replicas.ts'
import type { Passage } from '../../consumers/operations/replicas/lane-trace.ts'

/** Who owned what before and after, how long lanes were paused, and whether anything was lost or doubled. */
export function changeReport({ consumer, replicas, replaced, passages, totals }: Change): Report {
  const { before, after } = totals
  const restarted = replaced > 0 && replicas.before === replicas.after
  const what = restarted
    ? `${count(replaced)} of ${count(replicas.after, 'replica')} restarted`
    : `${count(replicas.before)} → ${count(replicas.after, 'replica')}`
  const exact = after.faults.length === 0 ? 'Nothing was lost or doubled.' : 'The ledger has faults.'
  const moved = passages.filter(({ claims }) => claims > 0)
  const [busy, quiet] = [moved.filter((passage) => passage.busy), moved.filter((passage) => !passage.busy)]
  const stayed = passages.filter((passage) => passage.claims === 0 && passage.busy)
  const manual = new Set(passages.flatMap(({ to }) => (to?.includes('@') ? [to] : [])))
  const more = (name: 'duplicates' | 'parked') =>
    before[name] === 0 ? count(after[name]) : `${count(after[name] - before[name])} (${count(after[name])} in total)`
  return {
    verdict: `${consumer}: ${what}. ${exact}`,
    parts: [
      { head: ['replica', 'lanes before', 'lanes after'], rows: ownership(passages) },
      {
        head: ['lane', 'from', 'to', 'paused for'],
        rows: busy.map(({ lane, from, to, standstillMs }) => [
          String(lane),
          from ?? 'none',
          to ?? 'none',
          duration(standstillMs),
        ]),
      },
      [
        ...(quiet.length > 0
          ? [
              `${count(quiet.length, 'lane')} moved with nothing to process: ${laneRanges(quiet.map(({ lane }) => lane))}`,
            ]
          : []),
        ...(stayed.length > 0
          ? [`${count(stayed.length, 'lane')} kept their owner; longest pause ${duration(longest(stayed))}`]
          : []),
        ...(restarted && manual.size > 0 ? [`Started manually, so not restarted: ${[...manual].join(', ')}`] : []),
        `Meanwhile: ${count(after.taken - before.taken, 'event')} processed, duplicates dropped: ${more('duplicates')}, parked: ${more('parked')}`,
        ...firstOf(after.faults, faultsShown).map((fault) => `  ${fault}`),
      ].join('\n'),
    ],
    next: after.faults.length === 0 ? undefined : 'npm run verify',
  }
}

const faultsShown = 10

/** One line per replica: what it had, what it has. */
function ownership(passages: readonly Passage[]): string[][] {
  const replicas = [...new Set(passages.flatMap(({ from, to }) => [from, to]))].filter((name) => name !== null)
  const lanesOf = (side: 'from' | 'to', name: string) =>
    laneRanges(passages.filter((passage) => passage[side] === name).map(({ lane }) => lane))
  return replicas
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => [name, lanesOf('from', name), lanesOf('to', name)])
}

export const longest = (passages: readonly Passage[]): number =>
  Math.max(0, ...passages.map(({ standstillMs }) => standstillMs))

export const changeJson = ({ consumer, replicas, replaced, passages, totals }: Change) => ({
  consumer,
  replicas,
  replaced,
  lanes: passages,
  longestStandstillMs: longest(passages.filter(({ claims, busy }) => claims > 0 && busy)),
  totals,
  ok: totals.after.faults.length === 0,
})
