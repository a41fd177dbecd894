import { laneRanges } from '../../lanes/lane-ranges.ts'
import { lasting, openTransaction, troublesOf } from '../../lanes/troubles.ts'
import type { Goals, Seen } from './measurement.ts'
import type { LaneLoad, ReplicaLoad } from '../consumer-load.ts'

/** Why more replicas than `most` would not help. */
export interface Limit {
  readonly most: number
  readonly sentence: string
}

export interface Wish {
  readonly replicas: readonly ReplicaLoad[]
  readonly lanes: readonly LaneLoad[]
  /** The lanes that are able to progress. */
  readonly able: readonly LaneLoad[]
  readonly goals: Goals
  readonly wanted: number
}

/** A machine with a higher utilization has no capacity left. */
const fullFrom = 0.95
/** Smallest share of a lane in all work, and of a key in its lane, that is reported. */
const telling = { lane: 0.5, key: 0.2 }

/** The limits that keep the number of replicas below the wanted number; of several, the lowest. */
export function limitsOfMore(seen: Seen, wish: Wish): Limit[] {
  const { lanes, goals, wanted } = wish
  const limits: Limit[] = [
    { most: lanes.length, sentence: `${lanes.length} lanes: a replica more than that has nothing to do` },
    { most: goals.max, sentence: `no more than ${goals.max} are allowed` },
    ...skew(seen, wish),
    ...(goals.otherMachines ? [] : processors(seen, wish)),
  ]
  const lowest = Math.min(...limits.map(({ most }) => most))
  return limits.filter(({ most }) => most === lowest && most < wanted)
}

/** A lane has one owner, so more replicas do not speed up the heaviest lane. */
function skew({ heaviestKey }: Seen, { able, goals }: Wish): Limit[] {
  const works = able.map((lane) => lane.arrivingPerSecond + (lane.behind ?? 0) / goals.drainSeconds)
  const total = works.reduce((sum, work) => sum + work, 0)
  const most = Math.max(...works)
  const lane = able[works.indexOf(most)]
  const share = most / total
  const useful = Math.ceil(1 / share - 1e-9)
  if (!lane || !(useful < able.length)) return []
  const key =
    heaviestKey?.lane === lane.lane && heaviestKey.share >= telling.key
      ? `; key ${heaviestKey.key} is ${percent(heaviestKey.share)} of lane ${lane.lane}`
      : ''
  const behind = able.reduce((sum, each) => sum + (each.behind ?? 0), 0)
  const part =
    share >= telling.lane || key !== ''
      ? `lane ${lane.lane} holds ${percent(behind > 0 ? (lane.behind ?? 0) / behind : share)} of the lag${key}: one replica has all of it`
      : `the heaviest lane, ${lane.lane}, has ${percent(share)} of the work and one owner`
  return [{ most: useful, sentence: part }]
}

/** Assumes that each additional replica uses as much processor time as one uses now. */
function processors({ machine }: Seen, { replicas }: Wish): Limit[] {
  const used = replicas.flatMap(({ cpuPercent }) => (cpuPercent === undefined ? [] : cpuPercent / 100))
  const each = used.reduce((sum, share) => sum + share, 0) / Math.max(1, used.length)
  if (each < 0.05) return [] // It waits for others most of the time
  const spare = Math.max(0, machine.cores * (fullFrom - machine.busy))
  return [
    {
      most: replicas.length + Math.floor(spare / each),
      sentence: `the machine's ${machine.cores} cores are ${percent(machine.busy)} busy, and a replica uses ${percent(each)} of one`,
    },
  ]
}

/** Lanes that do not benefit from more replicas, and external calls without answers. */
export function unhelped(lanes: readonly LaneLoad[]): string[] {
  const standing = lanes.filter(({ health }) =>
    ['paused', 'pausing', 'waiting', 'stopped', 'silent'].includes(health.condition),
  )
  const stuck = [...Map.groupBy(standing, ({ health }) => health.condition)].map(([condition, found]) => {
    const [first] = found
    const why = first ? (troublesOf(first.health)[0] ?? '') : ''
    return `${plural(found)} ${condition}, which more replicas would not change: ${why}`
  })
  const held = lanes.flatMap(({ health }) => lasting(health.open)).map((each) => openTransaction(each))
  const unread = held.map((sentence) => `${sentence}, which more replicas would not change`)
  const failing = lanes.filter(({ health }) => health.failingCalls > 0)
  const calls = failing.reduce((sum, { health }) => sum + health.failingCalls, 0)
  const [failed] = failing
  return failed
    ? [
        ...stuck,
        ...unread,
        `${calls} outside calls get no answer, which more replicas would not change: ${failed.health.callError}`,
      ]
    : [...stuck, ...unread]
}

const plural = (lanes: readonly LaneLoad[]): string =>
  `${lanes.length === 1 ? 'lane' : 'lanes'} ${laneRanges(lanes.map(({ lane }) => lane))} ${lanes.length === 1 ? 'is' : 'are'}`

const percent = (share: number): string => `${Math.round(100 * share)} %`
