import { age } from '../age.ts'
import type { LaneHealth } from './lane-health.ts'

/** Longer than healthy work needs, milliseconds. */
const tooLong = { behind: 60_000, outbox: 10_000 }

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
    condition,
  } = lane
  return [
    ...standing(lane),
    ...(condition === 'stopped' || again ? [] : lost),
    ...(again ? [`processes ${again.left} past offsets: npm run replay -- show ${again.replay}`] : []),
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
