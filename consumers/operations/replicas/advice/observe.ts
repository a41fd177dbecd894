import type { Config } from '../../../../infra/config.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { StackStatus } from '../../../../infra/stack/supervisor/stack-record.ts'
import { advise, replicasIn } from './advise.ts'
import type { Advice } from './advise.ts'
import type { Goals, KeyShare, Seen } from './measurement.ts'
import { readLoad } from '../consumer-load.ts'
import type { ConsumerLoad, LaneLoad, ReplicaLoad } from '../consumer-load.ts'
import { heaviestKey } from './heaviest-key.ts'
import { watchConnections, watchProcessors } from './machine-load.ts'

export interface ObserveOptions {
  config: Config
  pool: Pool
  stack: StackStatus
  /** Consumers to observe; empty: all. */
  consumers: readonly string[]
  goals: Goals
  /** Highest rate of a replica so far, events per second by consumer: `capacity` of earlier advice. */
  capacities?: ReadonlyMap<string, number>
  /** Duration of the measurement. */
  overMs: number
  signal: AbortSignal
}

/**
 * Measures consumers for a short time and advises how many replicas each needs.
 * @throws TallyError UNREACHABLE; errors of pg and kafkajs; the signal's reason
 */
export async function observe(options: ObserveOptions): Promise<Advice[]> {
  const { config, pool, stack, consumers, goals, capacities, overMs, signal } = options
  const processors = watchProcessors()
  const [loads, connections] = await Promise.all([
    readLoad({ config, pool, stack, overMs, signal }),
    watchConnections(pool, overMs, signal),
  ])
  const machine = processors()
  const wanted = loads.filter(({ consumer }) => consumers.length === 0 || consumers.includes(consumer))
  return Promise.all(
    wanted.map(async (load) => {
      const busy = new Map(
        replicasIn(load).flatMap((replica) => {
          const share = busyShare(load.consumer, replica, connections)
          return share === undefined ? [] : [[replica.replica ?? '', share] as const]
        }),
      )
      const worst = furthestBehind(load, goals)
      const seen: Seen = {
        ...{ load, busy, machine, capacity: capacities?.get(load.consumer) },
        heaviestKey: worst && (await keyOf(config, worst, signal)),
      }
      return advise(seen, goals)
    }),
  )
}

/** What replicas have been found able to process so far; for the next measurement. */
export const capacitiesOf = (advices: readonly Advice[]): Map<string, number> =>
  new Map(advices.flatMap(({ consumer, capacity }) => (capacity ? [[consumer, capacity] as const] : [])))

/**
 * By its processor or its connections, whichever is nearer its limit. A replica is called `payment@host:1234` there.
 */
function busyShare(
  consumer: string,
  { pid, cpuPercent }: ReplicaLoad,
  connections: ReadonlyMap<string, number>,
): number | undefined {
  const name = [...connections.keys()].find((each) => each.startsWith(`${consumer}@`) && each.endsWith(`:${pid}`))
  const inUse = name === undefined ? undefined : connections.get(name)
  if (cpuPercent === undefined || inUse === undefined) return undefined
  return Math.min(1, Math.max(cpuPercent / 100, inUse))
}

const sampleWithinMs = 3_000

/** Advice is useful without it and must not wait for it. */
const keyOf = (config: Config, lane: LaneLoad, signal: AbortSignal): Promise<KeyShare | undefined> =>
  heaviestKey(config, lane, AbortSignal.any([signal, AbortSignal.timeout(sampleWithinMs)])).catch(() => {
    signal.throwIfAborted()
    return undefined
  })

/** The lane whose keys are worth counting: none while every lane is within the maximum lag. */
function furthestBehind({ replicas }: ConsumerLoad, { lagSeconds }: Goals): LaneLoad | undefined {
  const late = replicas.flatMap(({ lanes }) => lanes).filter(({ lagMs }) => lagMs > 1_000 * lagSeconds)
  return late.toSorted((a, b) => (b.behind ?? 0) - (a.behind ?? 0))[0]
}
