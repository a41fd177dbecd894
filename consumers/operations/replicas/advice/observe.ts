import type { Config } from '../../../../infra/config.ts'
import type { Pool } from '../../../../infra/postgres/postgres.ts'
import type { StackStatus } from '../../../../infra/stack/supervisor/stack-record.ts'
import { advise, replicasIn } from './advise.ts'
import type { Advice, Goals, KeyShare, Seen } from './advise.ts'
import { readLoad } from '../consumer-load.ts'
import type { ConsumerLoad, LaneLoad, ReplicaLoad } from '../consumer-load.ts'
import { heaviestKey } from './heaviest-key.ts'
import { watchConnections, watchProcessors } from './machine-load.ts'

export interface ObserveOptions {
  config: Config
  pool: Pool
  stack: StackStatus
  /** Consumers to look at; all where none is named. */
  consumers: readonly string[]
  goals: Goals
  /** What replicas were seen to take at most, events per second by consumer: `capacity` of advice given before. */
  capacities?: ReadonlyMap<string, number>
  /** How long is looked. */
  overMs: number
  signal: AbortSignal
}

/** Advice, with what it was given about. */
export interface Observed {
  readonly advice: Advice
  /** Replicas that were not started by the stack: it cannot end them. */
  readonly byHand: number
}

/**
 * Looks at consumers for a moment and says how many replicas each needs.
 * @throws TallyError UNREACHABLE; errors of pg and kafkajs; the signal's reason
 */
export async function observe(options: ObserveOptions): Promise<Observed[]> {
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
      const byHand = replicasIn(load).filter(({ pid }) => pid === undefined).length
      return { advice: advise(seen, goals), byHand }
    }),
  )
}

/** What these looks, after those before, found replicas able to take. */
export const capacitiesOf = (observed: readonly Observed[]): Map<string, number> =>
  new Map(observed.flatMap(({ advice: { consumer, capacity } }) => (capacity ? [[consumer, capacity] as const] : [])))

/** By its processor or its connections, whichever is nearer its end. A replica is called `payment@host:1234` there. */
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

/** Advice without it is still good, and must not wait for it. */
const keyOf = (config: Config, lane: LaneLoad, signal: AbortSignal): Promise<KeyShare | undefined> =>
  heaviestKey(config, lane, AbortSignal.any([signal, AbortSignal.timeout(sampleWithinMs)])).catch(() => {
    signal.throwIfAborted()
    return undefined
  })

/** The lane whose keys are worth a look: none while all are taken in time. */
function furthestBehind({ replicas }: ConsumerLoad, { lagSeconds }: Goals): LaneLoad | undefined {
  const late = replicas.flatMap(({ lanes }) => lanes).filter(({ lagMs }) => lagMs > 1_000 * lagSeconds)
  return late.toSorted((a, b) => (b.behind ?? 0) - (a.behind ?? 0))[0]
}
