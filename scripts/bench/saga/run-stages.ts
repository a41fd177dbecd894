import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { placeOrders } from '../api/put-load.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { startMachineWatch } from '../watch.ts'
import { OrderTimes } from './order-times.ts'
import { startOutsideWorld } from './outside-world.ts'

/** A running pipeline that takes orders over HTTP. */
export interface Contestant extends AsyncDisposable {
  readonly url: string
  /** CPU seconds of all its processes so far. */
  cpuSeconds(): number
}

/** @param ended call it once per order, with the time of its end in epoch milliseconds (default: now) */
export type Start = (ground: Ground, ended: (orderId: string, at?: number) => void) => Promise<Contestant>

export const [calm, busy] = [500, 2_000]

/** Places orders at fixed rates: first a warm-up, then the calm stage, then the busy one. */
export async function runStages(ground: Ground, start: Start): Promise<Repeat> {
  await using _world = await startOutsideWorld(ground)
  let times = new OrderTimes()
  await using contestant = await start(ground, (orderId, at) => times.end(orderId, at))
  const stage = async (orders: number, perSecond: number) => {
    times = new OrderTimes()
    const { url } = contestant
    await placeOrders(url, { orders, perSecond, onPlaced: times.accept })
    await waitUntil(`${orders} orders have ended`, () => times.ends >= orders, { withinMs: 300_000, everyMs: 20 })
    return times.summarize(orders)
  }
  const { events } = ground
  await stage(Math.ceil(events / 10), calm)
  const relaxed = await stage(Math.ceil(events / 4), calm)
  const [cpuBefore, machineSeconds] = [contestant.cpuSeconds(), startMachineWatch()]
  const { perSecond, behindSeconds } = await stage(events, busy)
  return {
    perSecond,
    cpuPerEvent: (contestant.cpuSeconds() - cpuBefore) / events,
    machineCpuPerEvent: machineSeconds() / events,
    figures: {
      [`p50 ms at ${calm}/s`]: relaxed.p50,
      [`p99 ms at ${calm}/s`]: relaxed.p99,
      [`s behind at ${busy}/s`]: behindSeconds,
    },
  }
}
