import { TallyError } from '../../infra/errors.ts'
import { alone } from './alone/alone.ts'
import { api } from './api/api.ts'
import type { Benchmark, Contender } from './benchmark.ts'
import { bridge } from './bridge/bridge.ts'
import { consolePages } from './console/console.ts'
import { consume } from './consume/consume.ts'
import { contention } from './contention/contention.ts'
import { forward } from './forward/forward.ts'
import { growth } from './growth/growth.ts'
import { hop } from './hop/hop.ts'
import { idle } from './idle/idle.ts'
import { lanes } from './lanes/lanes.ts'
import { memory } from './memory/memory.ts'
import { produce } from './produce/produce.ts'
import { rebalance } from './rebalance/rebalance.ts'
import { rebuild } from './rebuild/rebuild.ts'
import { recovery } from './recovery/recovery.ts'
import { roll } from './roll/roll.ts'
import { saga } from './saga/saga.ts'

export const benchmarks: readonly Benchmark[] = [
  hop,
  alone,
  saga,
  api,
  consume,
  produce,
  rebuild,
  rebalance,
  recovery,
  growth,
  contention,
  forward,
  bridge,
  memory,
  lanes,
  idle,
  roll,
  consolePages,
]

/** @throws TallyError USAGE if there is none of this name */
export function findBenchmark(name: string): Benchmark {
  const found = benchmarks.find((each) => each.name === name)
  if (found) return found
  const names = benchmarks.map((each) => each.name).join(', ')
  throw new TallyError('USAGE', `No benchmark "${name}": there are ${names}`)
}

/** @throws TallyError USAGE if there is none of this name */
export function findContender({ name: benchmark, contenders }: Benchmark, name: string): Contender {
  const found = contenders.find((each) => each.name === name)
  if (found) return found
  const names = contenders.map((each) => each.name).join('; ')
  throw new TallyError('USAGE', `${benchmark} has no contender "${name}": there are ${names}`)
}
