import { age } from '../age.ts'
import type { GroupPart } from './group-part.ts'
import type { OrderAccount } from './read-order.ts'

/** Something that an order waits for. */
export interface WaitReason {
  /** One sentence with the fact, perhaps one with the reason. */
  readonly sentence: string
  /** What to do: a command line of Tally; absent if it continues automatically. */
  readonly command?: string
  /** - operator  continues only if an operator acts - automatic  continues by itself */
  readonly needs: 'operator' | 'automatic'
}

/** Events that each status waits for, as the orders API names the states. */
const awaited: Readonly<Record<string, string>> = {
  placed: 'the answer of payment and of inventory',
  authorized: 'inventory to reserve the articles',
  reserved: 'payment to authorize the amount',
  ready: 'shipping to schedule the delivery',
  shipping: 'payment to capture the amount',
}

/**
 * Why an order has not ended, the causes that need an operator first; empty if it has.
 * @param now UTC epoch ms
 */
export function whyWaiting(account: OrderAccount, now: number): WaitReason[] {
  if (account.order?.endedAt) return []
  const reasons = [
    ...parkedReasons(account.groups, now),
    ...account.groups.flatMap((part) => [...laneReasons(part, account), ...callReasons(part, now)]),
    ...unpublishedReasons(account),
  ]
  const sorted = reasons.toSorted((a, b) => Number(b.needs === 'operator') - Number(a.needs === 'operator'))
  if (sorted.length > 0) return [...sorted, ...deadlines(account, now)]
  const next = awaited[account.order?.status ?? '']
  if (next === undefined) return deadlines(account, now)
  return [{ sentence: `Waits for ${next}.`, needs: 'automatic' }, ...deadlines(account, now)]
}

/** Groups that have parked the same record for the same reason share a sentence. */
function parkedReasons(groups: readonly GroupPart[], now: number): WaitReason[] {
  const heads = groups.flatMap(({ group, parked }) =>
    parked.filter(({ id, head }) => id === head).map((event) => ({ group, ...event })),
  )
  const alike = Map.groupBy(heads, ({ record, group, error, nextAttemptAt, behind }) =>
    JSON.stringify([record ?? group, error, nextAttemptAt === null, behind]),
  )
  return [...alike.values()].map((found) => {
    const { group, id, record, type, reason, error, behind } = found[0]!
    const retries = found.flatMap(({ nextAttemptAt }) => nextAttemptAt ?? [])
    const names = listed(found.map((event) => event.group))
    const attempts = Math.max(...found.map((event) => event.attempts))
    const what = `${names} ${found.length === 1 ? 'has' : 'have'} parked ${type ?? 'an event'} after ${counted(attempts, 'attempt')}: ${error ?? reason}.`
    const queue =
      behind > 0 ? ` ${counted(behind, 'later event')} of the order ${behind === 1 ? 'waits' : 'wait'} behind it.` : ''
    const command = `npm run parked -- show ${found.length > 1 && record ? record : `${group}/${id}`}`
    const [next] = retries.toSorted((a, b) => a.getTime() - b.getTime())
    return next
      ? { sentence: `${what}${queue} It is retried ${until(next, now)}.`, command, needs: 'automatic' as const }
      : { sentence: `${what}${queue} It waits for an operator.`, command, needs: 'operator' as const }
  })
}

/** `payment, inventory and shipping` */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`

function laneReasons(part: GroupPart, account: OrderAccount): WaitReason[] {
  const { group, lane: row, handles, reading, parked } = part
  const unread = account.events.filter(
    ({ type, place }) =>
      place !== null &&
      handles.has(type) &&
      Number(place.offset) >= (reading.find(({ topic }) => topic === place.topic)?.next ?? 0),
  )
  const queued = parked.length + part.calls.length + part.timers.length
  const concerned = unread.length > 0 || queued > 0
  const place = `${group}/${account.lane}`
  const types = unread.map(({ type }) => type).join(', ')
  const about = unread.length > 0 ? ` ${types} ${unread.length === 1 ? 'is' : 'are'} unread.` : ''
  switch (concerned ? (row?.condition ?? 'unowned') : 'live') {
    case 'paused':
    case 'pausing':
      return [
        {
          sentence: `Lane ${place} is paused by ${row?.pause?.actor}: ${row?.pause?.reason}.${about}`,
          command: `npm run lanes -- resume ${group} --lane ${account.lane}`,
          needs: 'operator',
        },
      ]
    case 'stopped':
      return [
        {
          sentence: `Lane ${place} is stopped: ${row?.reason}.${about}`,
          command: `npm run lanes -- ls ${group} --all`,
          needs: 'operator',
        },
      ]
    case 'waiting':
      return [{ sentence: `Lane ${place} waits: ${row?.reason}.${about}`, needs: 'automatic' }]
    case 'silent':
    case 'unowned':
      return [
        {
          sentence: `No replica of ${group} processes lane ${account.lane}.${about}`,
          command: 'npm run stack -- status',
          needs: 'operator',
        },
      ]
    default:
      return unread.length > 0 ? [{ sentence: `${group} has not read ${types} yet.`, needs: 'automatic' }] : []
  }
}

function callReasons({ group, calls }: GroupPart, now: number): WaitReason[] {
  return calls.map(({ kind, attempts, lastError, nextAttemptAt }) => ({
    sentence:
      attempts === 0
        ? `${group} waits for the answer to its call "${kind}".`
        : `${group} has no answer to its call "${kind}" after ${counted(attempts, 'attempt')}: ${lastError}. The next is made ${until(nextAttemptAt, now)}.`,
    needs: 'automatic',
  }))
}

function unpublishedReasons({ unpublished }: OrderAccount): WaitReason[] {
  return unpublished.map(({ writer, type }) => ({
    sentence: `${type.split('.').at(-1)} of ${writer} is written, but not published yet.`,
    needs: 'automatic',
  }))
}

function deadlines({ groups }: OrderAccount, now: number): WaitReason[] {
  return groups.flatMap(({ group, timers }) =>
    timers.map(({ kind, dueAt }) => ({
      sentence: `${group} decides without further events (timer "${kind}") ${until(dueAt, now)}.`,
      needs: 'automatic' as const,
    })),
  )
}

const until = (at: Date, now: number): string => (at.getTime() <= now ? 'now' : `in ${age(at.getTime() - now)}`)

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
