import { bytes, count, duration } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import { drainMs, idleReplicas } from '../../consumers/operations/replicas/consumer-load.ts'
import type { ConsumerLoad, LaneLoad, ReplicaLoad } from '../../consumers/operations/replicas/consumer-load.ts'

/** One line per replica; below, which of them are idle. */
export function loadReport(consumers: readonly ConsumerLoad[]): Report {
  const replicas = consumers.flatMap((load) => load.replicas)
  const lanes = replicas.flatMap((replica) => replica.lanes)
  const idle = consumers.flatMap((load) => {
    const names = idleReplicas(load).map(({ replica }) => replica)
    return names.length > 0
      ? [`${names.join(', ')} ${names.length === 1 ? 'has' : 'have'} no lane: ${whyIdle(load)}`]
      : []
  })
  const behind = behindOf(lanes)
  return {
    verdict: `${count(replicas.length, 'replica')} of ${count(consumers.length, 'consumer')}; ${
      behind === undefined
        ? 'their lag is unknown'
        : behind === 0
          ? 'no events are waiting'
          : `${count(behind, 'event')} behind (${duration(lagOf(lanes))})`
    }.`,
    parts: [
      {
        head: ['replica', 'lanes', 'behind', 'lag', 'in/s', 'done/s', 'drained in', 'CPU', 'memory'],
        rows: consumers.flatMap(({ consumer, replicas: own }) => own.map((replica) => lineOf(consumer, replica))),
      },
      idle.join('\n'),
    ],
  }
}

const whyIdle = ({ consumer, replicas }: ConsumerLoad): string => {
  const lanes = replicas.reduce((sum, replica) => sum + replica.lanes.length, 0)
  return replicas.length > lanes
    ? `${consumer} has ${count(lanes, 'lane')}, so more replicas than that do not help`
    : `its lanes have not settled yet, or \`npm run stack -- logs ${consumer}\` tells why`
}

function lineOf(consumer: string, { replica, lanes, cpuPercent, residentBytes }: ReplicaLoad): (string | number)[] {
  const behind = behindOf(lanes)
  const drain = drainMs(lanes)
  return [
    replica ?? `${consumer}: no owner`,
    laneRanges(lanes.map(({ lane }) => lane)) || 'none',
    behind ?? '?',
    duration(lagOf(lanes)),
    Math.round(sum(lanes, 'arrivingPerSecond')),
    Math.round(sum(lanes, 'takenPerSecond')),
    drain === undefined ? '?' : drain === null ? 'never' : duration(drain),
    cpuPercent === undefined ? '' : `${Math.round(cpuPercent)} %`,
    residentBytes === undefined ? '' : bytes(residentBytes),
  ]
}

const sum = (lanes: readonly LaneLoad[], rate: 'takenPerSecond' | 'arrivingPerSecond') =>
  lanes.reduce((total, lane) => total + lane[rate], 0)
const behindOf = (lanes: readonly LaneLoad[]): number | undefined =>
  lanes.some(({ behind }) => behind === undefined)
    ? undefined
    : lanes.reduce((total, { behind = 0 }) => total + behind, 0)
const lagOf = (lanes: readonly LaneLoad[]): number => Math.max(0, ...lanes.map(({ lagMs }) => lagMs))

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
