import type { changePartitions } from '../../consumers/operations/partitions/change-partitions.ts'
import type { readRows } from '../../consumers/operations/partitions/operation.ts'
import type { Config } from '../../infra/config.ts'
import { topicName, topics } from '../../schemas/topics.ts'
import { count, duration, firstOf } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'

type Rows = Awaited<ReturnType<typeof readRows>>
type Changed = Awaited<ReturnType<typeof changePartitions>>

/** The generations of the topics, and what is left to do for the last change. */
export function generationsReport(rows: Rows): Report {
  const current = rows.findLast(({ switchedAt }) => switchedAt !== null)
  const begun = rows.find(({ switchedAt }) => switchedAt === null)
  const unfinished = begun ?? (current && current.number > 1 && current.sealedAt === null ? current : undefined)
  return {
    verdict: [
      current ? `Every topic has ${count(current.partitions, 'partition')}.` : 'There are no topics yet.',
      ...(begun
        ? [`A change to ${begun.partitions} has begun.`]
        : unfinished
          ? ['The last change is not finished.']
          : []),
    ].join(' '),
    parts: [
      {
        head: ['generation', 'partitions', 'since', 'by', 'why'],
        rows: rows.map((row) => [
          `${row.number}${row === current ? ' (current)' : ''}`,
          row.partitions,
          row.switchedAt?.toISOString().replace(/\.\d+Z$/, 'Z') ?? 'in preparation',
          row.actor,
          row.why ?? '',
        ]),
      },
    ],
    next: [
      ...(current ? [] : ['npm run deploy']),
      ...(unfinished ? [`npm run partitions -- ${unfinished.partitions}`] : []),
      ...(begun ? ['npm run partitions -- --cancel'] : []),
    ],
  }
}

const straysShown = 10

/** What a change moved and how long publication waited, and what to do with the old topics. */
export function changedReport({ from, to, moved, heldMs, strays }: Changed, { namespace, kafka }: Config): Report {
  const old = topics.map((topic) => topicName(namespace, topic, from.number)).join('|')
  return {
    verdict: `Every topic has ${count(to.partitions, 'partition')}.${
      strays.length > 0 ? ` ${count(strays.length, 'record')} were written to the old topics after the switch.` : ''
    }`,
    parts: [
      moved &&
        `Publication waited for ${duration(heldMs)}; orders were accepted. Moved to new lanes: ${count(moved.orders)} events of the orders API, ${count(moved.parked)} parked events, ${count(moved.timers)} timers, ${count(moved.calls)} calls.`,
      strays.length > 0
        ? `No consumer reads these records. Those of a frozen replica of the orders API are in the new topics too; others are lost:\n${firstOf(
            strays,
            straysShown,
          )
            .map((stray) => `  ${stray}`)
            .join('\n')}`
        : undefined,
      'The old topics accept no records. Retention deletes their contents; this command deletes them now:',
      { command: `kafka-topics.sh --bootstrap-server ${kafka.brokers[0]} --delete --topic '${old}'` },
    ],
    next: 'npm run verify',
  }
}
