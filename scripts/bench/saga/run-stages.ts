import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { placeOrders } from '../api/put-load.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { cpuSecondsOf } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'
import { OrderTimes } from './order-times.ts'
import { startOutsideWorld } from './outside-world.ts'
import { startAccount } from './where-time-goes.ts'

/** A running pipeline that takes orders over HTTP. */
export interface Contestant extends AsyncDisposable {
  readonly url: string
  readonly services: readonly Service[]
}

/** @param ended call it once per order, with the time of its end in epoch milliseconds (default: now) */
export type Start = (ground: Ground, ended: (orderId: string, at?: number) => void) => Promise<Contestant>

/** Orders per second that no contender reaches. */
export const busy = 2_000
/** Shares of a contender's own maximum at which its latency is measured, percent. */
export const calmStages = [40, 70]

/**
 * Places orders: half of them to warm up, then all of them faster than the contender is, which gives its maximum, then a
 * quarter at each share of that maximum.
 */
export async function runStages(ground: Ground, start: Start): Promise<Repeat> {
  await using world = await startOutsideWorld(ground)
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
  await stage(Math.ceil(events / 2), busy)
  const account = await startAccount(ground, [...world.services, ...contestant.services])
  const [cpuBefore, machineSeconds] = [cpuSecondsOf(contestant.services), startMachineWatch()]
  const { perSecond } = await stage(events, busy)
  const cpuPerEvent = (cpuSecondsOf(contestant.services) - cpuBefore) / events
  const machineCpuPerEvent = machineSeconds() / events
  const costs = await account(events)
  const latencies: Record<string, number> = {}
  for (const percent of calmStages) {
    const { p50, p99 } = await stage(Math.ceil(events / 4), Math.max(1, Math.round((perSecond * percent) / 100)))
    latencies[`p50 ms at ${percent} %`] = p50
    latencies[`p99 ms at ${percent} %`] = p99
  }
  return { perSecond, cpuPerEvent, machineCpuPerEvent, figures: { ...latencies, ...costs } }
}
