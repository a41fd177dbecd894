import { age } from '../age.ts'
import type { OpenTransaction } from '../../../infra/kafka/reading/open-transactions.ts'
import type { LaneHealth } from './lane-health.ts'

/** Longer than healthy work needs, milliseconds. */
const tooLong = { behind: 60_000, outbox: 10_000, transaction: 10_000 }

/** The problems of a lane for an operator, in sentences; empty if there are none. */
export function troublesOf(lane: LaneHealth): string[] {
  const {
    parked,
    forPersons,
    outbox,
    outboxMs,
    failingCalls,
    callError,
    overdueTimers,
    behind,
    behindMs,
    again,
    lost,
    open,
    condition,
  } = lane
  return [
    ...standing(lane),
    ...(condition === 'stopped' || again ? [] : lost),
    ...(again ? [`processes ${again.left} past offsets: npm run replay -- show ${again.replay}`] : []),
    ...lasting(open).map((each) => openTransaction(each)),
    ...(behindMs >= tooLong.behind ? [`${behind} events behind, the oldest for over ${age(behindMs)}`] : []),
    ...(forPersons > 0 ? [`${parked} parked, ${forPersons} of them for an operator: npm run parked -- ls`] : []),
    ...(parked > 0 && forPersons === 0 ? [`${parked} parked, retried automatically`] : []),
    ...(outbox > 0 && (outboxMs ?? 0) > tooLong.outbox
      ? [`${outbox} events unpublished for ${age(outboxMs ?? 0)}`]
      : []),
    ...(failingCalls > 0 ? [`${failingCalls} calls without an answer: ${callError}`] : []),
    ...(overdueTimers > 0 ? [`${overdueTimers} timers overdue`] : []),
  ]
}

/** Those that are open for longer than a transaction in order. */
export const lasting = (open: readonly OpenTransaction[]): OpenTransaction[] =>
  open.filter(({ openMs = Infinity }) => openMs > tooLong.transaction)

/** `orders/3: an open transaction at offset 812 since …, 4 min ago, holds back 45 offsets until its producer ends it` */
export function openTransaction({ topic, partition, offset, end, since, openMs = 0 }: OpenTransaction): string {
  const when = since === undefined ? '' : ` since ${new Date(since).toISOString().slice(0, 19)}Z (${age(openMs)})`
  return `${topic}/${partition}: an open transaction at offset ${offset}${when} holds back ${end - offset} offsets until its producer commits or aborts it`
}

function standing({ condition, owner, silentMs, reason, phaseMs, pause }: LaneHealth): string[] {
  const paused = pause ? [`paused by ${pause.actor} ${age(pause.ms)} ago: ${pause.reason}`] : []
  const since = phaseMs === null ? '' : ` for ${age(phaseMs)}`
  switch (condition) {
    case 'live':
      return []
    case 'claiming':
      return [`${owner} waits for the database`]
    case 'pausing':
      return paused.map((sentence) => `${sentence} (not confirmed by its owner yet)`)
    case 'paused':
      return paused.map((sentence) => (silentMs === null ? `${sentence} (no replica runs)` : sentence))
    case 'waiting':
    case 'stopped':
      return [`${condition}${since}: ${reason}`, ...paused]
    case 'silent':
      return [`its owner ${owner} has been silent for ${age(silentMs ?? 0)}`, ...paused]
    case 'unowned':
      return [owner === null ? 'no replica has ever had it' : 'no replica runs']
  }
}
