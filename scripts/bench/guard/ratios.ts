import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { placeOrders } from '../api/put-load.ts'
import type { Ground } from '../benchmark.ts'
import { findContender } from '../benchmarks.ts'
import { hop } from '../hop/hop.ts'
import { startPipeline } from '../saga/ours.ts'
import { OrderTimes } from '../saga/order-times.ts'
import { startOutsideWorld } from '../saga/outside-world.ts'
import { startPollers } from '../saga/pollers.ts'
import type { Start } from '../saga/run-stages.ts'

/** Speed of Tally divided by that of the naive peer. */
export interface Ratios {
  readonly hop: number
  readonly saga: number
}

export interface RatioOptions {
  /** Environment variables with the addresses of the servers. */
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** Short forms: the first seconds of a process, and the best of a few runs, because the machine is shared. */
const short = { rounds: 2, hopEvents: { ours: 15_000, theirs: 1_000 }, sagaOrders: 300, sagaStages: 3 }

export const measureRatio: { readonly [Name in keyof Ratios]: (options: RatioOptions) => Promise<number> } = {
  async hop(options) {
    const [ours, theirs] = [findContender(hop, 'tally'), findContender(hop, 'kafkajs, 12 at once')]
    const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
    for (let round = 0; round < short.rounds; round++) {
      for (const side of ['ours', 'theirs'] as const) {
        await using ground = openGround(options, short.hopEvents[side])
        rates[side].push((await { ours, theirs }[side].measure(ground)).perSecond)
      }
    }
    return best('hop', rates, options)
  },

  async saga(options) {
    const rates = { ours: await runBursts(options, startPipeline), theirs: await runBursts(options, startPollers) }
    return best('saga', rates, options)
  },
}

/** Places bursts of orders as fast as the API accepts them, each until its last order has ended. @returns orders/s per burst */
async function runBursts(options: RatioOptions, start: Start): Promise<number[]> {
  await using ground = openGround(options, short.sagaOrders)
  await using _world = await startOutsideWorld(ground)
  let times = new OrderTimes()
  await using contestant = await start(ground, (orderId, at) => times.end(orderId, at))
  const rates: number[] = []
  while (rates.length < short.sagaStages) {
    times = new OrderTimes()
    await placeOrders(contestant.url, { orders: ground.events, onPlaced: times.accept })
    await waitUntil('all orders have ended', () => times.ends >= ground.events, { withinMs: 60_000, everyMs: 20 })
    rates.push(times.summarize(ground.events).perSecond)
  }
  return rates
}

function openGround({ env, signal }: RatioOptions, events: number): Ground & AsyncDisposable {
  const sandbox = createSandbox(env)
  return { sandbox, events, signal, [Symbol.asyncDispose]: () => sandbox.close() }
}

function best(name: string, rates: { ours: number[]; theirs: number[] }, { say }: RatioOptions): number {
  const ratio = Math.max(...rates.ours) / Math.max(...rates.theirs)
  const list = (values: number[]) => values.map((value) => value.toFixed(0)).join(', ')
  say(`${name}: ours ${list(rates.ours)} a second, the peer's ${list(rates.theirs)}: ${ratio.toFixed(2)} ×`)
  return ratio
}
