import { printTable, say } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import type { LaneHealth } from '../../consumers/operations/lanes/lane-health.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { GroupHealth, Health } from '../../consumers/operations/lanes/read-health.ts'
import { troublesOf } from '../../consumers/operations/lanes/troubles.ts'

/** One line per group; below, what a person should know, lanes with the same trouble together. */
export function printHealth({ groups, undeployed, orders, brokerTrouble }: Health): void {
  printTable(['consumer', 'replicas', 'lanes', 'behind', 'parked', 'outbox', 'calls', 'timers'], groups.map(groupLine))
  const troubles = groups.flatMap(({ group, lanes }) =>
    [...Map.groupBy(lanes.flatMap(withTroubles), ({ trouble }) => trouble)].map(([trouble, found]) => [
      `${group} ${laneRanges(found.map(({ lane }) => lane))}`,
      trouble,
    ]),
  )
  if (orders && orders.waiting > 0 && (orders.oldestMs ?? 0) > 10_000)
    troubles.push(['orders-api', `${orders.waiting} events unpublished for ${age(orders.oldestMs ?? 0)}`])
  if (troubles.length > 0) {
    process.stdout.write('\n')
    printTable(['lanes', 'to look at'], troubles)
  }
  if (undeployed.length > 0) say(`Without tables, removed or never deployed: ${undeployed.join(', ')}`)
  if (brokerTrouble !== undefined) say(`How far behind they are is not known. ${brokerTrouble}`)
}

/** Every lane. */
export function printLanes({ groups, brokerTrouble }: Health): void {
  printTable(
    ['lane', 'condition', 'owner', 'epoch', 'behind', 'parked', 'outbox', 'calls', 'timers', 'position of end'],
    groups.flatMap(({ group, lanes }) => lanes.map((lane) => laneLine(group, lane))),
  )
  if (brokerTrouble !== undefined) say(`How far behind they are is not known. ${brokerTrouble}`)
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

const laneLine = (group: string, lane: LaneHealth): (string | number)[] => [
  `${group} ${lane.lane}`,
  lane.condition,
  lane.owner ?? '',
  lane.epoch,
  lane.behind ?? '?',
  lane.parked,
  lane.outbox,
  lane.calls,
  lane.timers,
  lane.topics.map(({ topic, position, end }) => `${topic} ${position}/${end ?? '?'}`).join(' '),
]

/** As everywhere, offsets are strings: they may outgrow a number. */
export const healthJson = ({ groups, undeployed, orders, brokerTrouble }: Health) => ({
  consumers: groups.map(({ group, lanes }) => ({
    group,
    lanes: lanes.map(({ positions: _positions, topics, ...lane }) => ({
      ...lane,
      topics: topics.map(({ topic, position, end }) => ({
        topic,
        position: String(position),
        end: end === undefined ? null : String(end),
      })),
      behind: lane.behind ?? null,
      troubles: troublesOf({ ...lane, positions: {}, topics }),
    })),
  })),
  ordersOutbox: orders ?? null,
  undeployed,
  brokerTrouble: brokerTrouble ?? null,
})
