import { printTable, say } from '../cli/command.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { Change } from '../../consumers/operations/replicas/change-replicas.ts'
import type { Passage } from '../../consumers/operations/replicas/lane-trace.ts'

/** Who owned what before and after, how long lanes stood still, and whether anything was lost or doubled. */
export function printChange({ consumer, replicas, replaced, passages, books }: Change): void {
  const plural = replicas.after === 1 ? 'replica' : 'replicas'
  const restarted = replaced > 0 && replicas.before === replicas.after
  const what = restarted ? `${replaced} of ${replicas.after}` : `${replicas.before} → ${replicas.after}`
  process.stdout.write(`${consumer}: ${what} ${plural}${restarted ? ' restarted' : ''}\n`)
  printTable(['replica', 'lanes before', 'lanes after'], ownership(passages))
  const moved = passages.filter(({ claims }) => claims > 0)
  if (moved.length > 0) {
    process.stdout.write('\n')
    printTable(['lane', 'from', 'to', 'stood still'], moved.map(movedLine))
  }
  const stayed = passages.filter(({ claims, busy }) => claims === 0 && busy)
  process.stdout.write('\n')
  if (stayed.length > 0) say(`The ${stayed.length} lanes that stayed took nothing for ${longest(stayed)} ms at most`)
  const byHand = new Set(passages.flatMap(({ to }) => (to?.includes('@') ? [to] : [])))
  if (restarted && byHand.size > 0) say(`Started by hand, so not restarted: ${[...byHand].join(', ')}`)
  const { before, after } = books
  const news = (name: 'duplicates' | 'parked') => `${after[name] - before[name]} more (${after[name]} in all)`
  say(
    `${after.taken - before.taken} events taken meanwhile; repeats dropped: ${news('duplicates')}, parked: ${news('parked')}`,
  )
  for (const fault of after.faults) say(`  ${fault}`)
  say(
    after.faults.length === 0
      ? 'Nothing was lost or doubled: every offset read is in the ledger, once'
      : 'The ledger has faults',
  )
}

const movedLine = ({ lane, from, to, standstillMs, busy }: Passage): (string | number)[] => [
  lane,
  from ?? 'nobody',
  to ?? 'nobody',
  busy ? `${standstillMs} ms` : 'had nothing to take',
]

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

export const changeJson = ({ consumer, replicas, replaced, passages, books }: Change) => ({
  consumer,
  replicas,
  replaced,
  lanes: passages,
  longestStandstillMs: longest(passages.filter(({ claims, busy }) => claims > 0 && busy)),
  books,
  ok: books.after.faults.length === 0,
})
