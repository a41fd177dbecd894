import { printTable, say } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import { drainMs, idleReplicas } from '../../consumers/operations/replicas/consumer-load.ts'
import type { ConsumerLoad, LaneLoad, ReplicaLoad } from '../../consumers/operations/replicas/consumer-load.ts'

/** One line per replica; below, who has nothing to do. */
export function printLoad(consumers: readonly ConsumerLoad[]): void {
  printTable(
    ['replica', 'lanes', 'behind', 'lag', 'taken/s', 'arriving/s', 'drained in', 'CPU', 'memory'],
    consumers.flatMap(({ consumer, replicas }) => replicas.map((replica) => lineOf(consumer, replica))),
  )
  for (const load of consumers) {
    const idle = idleReplicas(load).map(({ replica }) => replica)
    if (idle.length > 0) say(`${idle.join(', ')} ${idle.length === 1 ? 'has' : 'have'} no lane: ${whyIdle(load)}`)
  }
}

const whyIdle = ({ consumer, replicas }: ConsumerLoad): string => {
  const lanes = replicas.reduce((sum, replica) => sum + replica.lanes.length, 0)
  return replicas.length > lanes
    ? `${consumer} has ${lanes} lanes, more replicas than that do not help`
    : `not settled yet, or \`npm run stack -- logs ${consumer}\` says why`
}

function lineOf(consumer: string, { replica, lanes, cpuPercent, residentBytes }: ReplicaLoad): (string | number)[] {
  const behind = behindOf(lanes)
  const drain = drainMs(lanes)
  return [
    replica ?? `${consumer}: nobody`,
    laneRanges(lanes.map(({ lane }) => lane)) || 'none',
    behind ?? '?',
    lagText(lagOf(lanes)),
    Math.round(sum(lanes, 'takenPerSecond')),
    Math.round(sum(lanes, 'arrivingPerSecond')),
    drain === undefined ? '?' : drain === null ? 'never' : lagText(drain),
    cpuPercent === undefined ? '' : `${Math.round(cpuPercent)} %`,
    residentBytes === undefined ? '' : `${Math.round(residentBytes / 2 ** 20)} MB`,
  ]
}

const sum = (lanes: readonly LaneLoad[], rate: 'takenPerSecond' | 'arrivingPerSecond') =>
  lanes.reduce((total, lane) => total + lane[rate], 0)
const behindOf = (lanes: readonly LaneLoad[]): number | undefined =>
  lanes.some(({ behind }) => behind === undefined)
    ? undefined
    : lanes.reduce((total, { behind = 0 }) => total + behind, 0)
const lagOf = (lanes: readonly LaneLoad[]): number => Math.max(0, ...lanes.map(({ lagMs }) => lagMs))

const lagText = (ms: number): string => (ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : age(ms))

const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value * 10) / 10)

export const loadJson = (consumers: readonly ConsumerLoad[]) => ({
  consumers: consumers.map((load) => ({
    consumer: load.consumer,
    idle: idleReplicas(load).map(({ replica }) => replica),
    replicas: load.replicas.map(({ replica, pid, lanes, cpuPercent, residentBytes }) => ({
      replica,
      pid: pid ?? null,
      behind: behindOf(lanes) ?? null,
      lagSeconds: rounded(lagOf(lanes) / 1_000),
      takenPerSecond: rounded(sum(lanes, 'takenPerSecond')),
      arrivingPerSecond: rounded(sum(lanes, 'arrivingPerSecond')),
      /** Null: never at this rate, or not known. */
      drainSeconds: rounded((drainMs(lanes) ?? Number.NaN) / 1_000),
      cpuPercent: rounded(cpuPercent),
      residentBytes: residentBytes ?? null,
      lanes: lanes.map(({ lane, behind, lagMs, takenPerSecond, arrivingPerSecond }) => ({
        ...{ lane, behind: behind ?? null, lagSeconds: rounded(lagMs / 1_000) },
        ...{ takenPerSecond: rounded(takenPerSecond), arrivingPerSecond: rounded(arrivingPerSecond) },
      })),
    })),
  })),
})
