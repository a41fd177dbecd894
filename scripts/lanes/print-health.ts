import { count } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { age } from '../../consumers/operations/age.ts'
import type { LaneHealth } from '../../consumers/operations/lanes/lane-health.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { GroupHealth, Health } from '../../consumers/operations/lanes/read-health.ts'
import { troublesOf } from '../../consumers/operations/lanes/troubles.ts'

/** Events that wait in the outbox of the orders API for longer than this need attention, milliseconds. */
const unpublishedTooLongMs = 10_000

/** One line per consumer; below, what needs attention, lanes with the same trouble together. */
export function healthReport(health: Health): Report {
  const { groups, orders } = health
  const troubles = groups.flatMap(({ group, lanes }) =>
    [...Map.groupBy(lanes.flatMap(withTroubles), ({ trouble }) => trouble)].map(([trouble, found]) => [
      `${group} ${laneRanges(found.map(({ lane }) => lane))}`,
      trouble,
    ]),
  )
  if (orders && orders.waiting > 0 && (orders.oldestMs ?? 0) > unpublishedTooLongMs)
    troubles.push(['orders-api', `${count(orders.waiting, 'event')} unpublished for ${age(orders.oldestMs ?? 0)}`])
  return {
    verdict: verdictOf(health, troubles.length),
    parts: [
      {
        head: ['consumer', 'replicas', 'lanes', 'behind', 'parked', 'outbox', 'calls', 'timers'],
        rows: groups.map(groupLine),
      },
      { head: ['lanes', 'to look at'], rows: troubles },
      notesOf(health),
    ],
    next: groups.flatMap(nextFor).slice(0, 3),
  }
}

/** Every lane. */
export function lanesReport(health: Health): Report {
  return {
    ...healthReport(health),
    parts: [
      {
        head: ['lane', 'condition', 'epoch', 'behind', 'owner', 'in its tables', 'positions of ends'],
        rows: health.groups.flatMap(({ group, lanes }) => lanes.map((lane) => laneLine(group, lane))),
      },
      notesOf(health),
    ],
  }
}

function verdictOf({ groups, brokerTrouble }: Health, troubles: number): string {
  const lanes = groups.flatMap((group) => group.lanes)
  if (lanes.length === 0) return 'No consumer has lanes yet.'
  const behind = lanes.reduce((sum, lane) => sum + (lane.behind ?? 0), 0)
  const lag = brokerTrouble === undefined ? `${count(behind, 'event')} behind` : 'their lag is unknown'
  const troubled = lanes.filter((lane) => troublesOf(lane).length > 0).length
  const state =
    troubled > 0
      ? `${count(troubled)} of ${count(lanes.length, 'lane')} need attention`
      : troubles > 0
        ? `All ${count(lanes.length, 'lane')} work, but the orders API does not publish`
        : `All ${count(lanes.length, 'lane')} work`
  return `${state}; ${lag}.`
}

const notesOf = ({ groups, undeployed, brokerTrouble, transactionTrouble }: Health): string =>
  [
    ...(undeployed.length > 0 ? [`Without tables, removed or never deployed: ${undeployed.join(', ')}`] : []),
    ...lingering(groups),
    ...(brokerTrouble === undefined ? [] : [`The lag is unknown: ${brokerTrouble}`]),
    ...(transactionTrouble === undefined
      ? []
      : [`Whether transactions of other producers are open is unknown: ${transactionTrouble}`]),
  ].join('\n')

/** Which consumers let their transactions and requests wait for more. */
function lingering(groups: readonly GroupHealth[]): string[] {
  const waits = groups.flatMap(({ group, lanes }) => {
    const floors = lanes.flatMap(({ pace }) => [pace?.transactions.floorMs ?? 0, pace?.publishing.floorMs ?? 0])
    const longest = Math.max(0, ...floors)
    return longest > 0 ? [`${group} ${Math.ceil(longest)} ms`] : []
  })
  return waits.length > 0 ? [`Processors are scarce, so services wait to batch more work: ${waits.join(', ')}`] : []
}

function nextFor({ group, lanes }: GroupHealth): string[] {
  const any = (...conditions: readonly string[]) => lanes.some(({ condition }) => conditions.includes(condition))
  return [
    ...(any('stopped', 'waiting', 'silent') ? [`npm run stack -- logs ${group}`] : []),
    ...(lanes.some(({ forPersons }) => forPersons > 0) ? [`npm run parked -- ls --group ${group}`] : []),
    ...(lanes.some(({ lost }) => lost.length > 0) ? [`npm run lanes -- accept-loss ${group} --why "…"`] : []),
    ...(any('paused') ? [`npm run lanes -- resume ${group}`] : []),
  ]
}

const withTroubles = (lane: LaneHealth) => troublesOf(lane).map((trouble) => ({ lane: lane.lane, trouble }))

function groupLine({ group, lanes }: GroupHealth): (string | number)[] {
  const sum = (count: (lane: LaneHealth) => number) => lanes.reduce((total, lane) => total + count(lane), 0)
  const replicas = new Set(lanes.filter(({ silentMs }) => silentMs !== null).map(({ owner }) => owner))
  const conditions = [...Map.groupBy(lanes, ({ condition }) => condition)]
  return [
    group,
    replicas.size,
    conditions.map(([condition, found]) => `${found.length} ${condition}`).join(', '),
    lanes.some(({ behind }) => behind === undefined) ? '?' : sum(({ behind = 0 }) => behind),
    sum(({ parked }) => parked),
    sum(({ outbox }) => outbox),
    sum(({ calls }) => calls),
    sum(({ timers }) => timers),
  ]
}

function laneLine(group: string, lane: LaneHealth): (string | number)[] {
  const { condition, owner, epoch, behind, parked, outbox, calls, timers, topics } = lane
  const held = Object.entries({ parked, 'to publish': outbox, calls, timers }).filter(([, rows]) => rows > 0)
  return [
    `${group} ${lane.lane}`,
    condition,
    epoch,
    behind ?? '?',
    owner ?? '',
    held.map(([what, rows]) => `${count(rows)} ${what}`).join(', '),
    topics.map(({ topic, position, end }) => `${topic} ${position}/${end ?? '?'}${heldBack(lane, topic)}`).join(', '),
  ]
}

/** Behind the last stable offset, up to the high watermark. */
function heldBack({ open }: LaneHealth, topic: string): string {
  const found = open.find((each) => each.topic === topic)
  return found ? ` (+${found.end - found.offset} in an open transaction)` : ''
}

/** As everywhere, offsets are strings: they may outgrow a number. */
export const healthJson = ({ groups, undeployed, orders, brokerTrouble, transactionTrouble }: Health) => ({
  consumers: groups.map(({ group, lanes }) => ({
    group,
    lanes: lanes.map(({ positions: _positions, topics, open, ...lane }) => ({
      ...lane,
      openTransactions: open.map(({ topic, offset, end, since }) => ({
        topic,
        lastStableOffset: String(offset),
        highWatermark: String(end),
        since: since === undefined ? null : new Date(since).toISOString(),
      })),
      topics: topics.map(({ topic, position, end }) => ({
        topic,
        position: String(position),
        end: end === undefined ? null : String(end),
      })),
      behind: lane.behind ?? null,
      troubles: troublesOf({ ...lane, open, positions: {}, topics }),
    })),
  })),
  ordersOutbox: orders ?? null,
  undeployed,
  brokerTrouble: brokerTrouble ?? null,
  transactionTrouble: transactionTrouble ?? null,
})
