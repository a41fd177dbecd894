import { consumerFolders } from '../../../consumers/runtime/load-consumer.ts'
import { readStackRecord } from '../../../infra/stack/supervisor/stack-record.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { placeOrders } from '../api/put-load.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { usageOf } from '../processes.ts'
import type { Usage } from '../processes.ts'
import { slopePerMinute } from './slope.ts'
import { OrderTimes } from '../saga/order-times.ts'
import { startPipeline } from '../saga/ours.ts'
import { startOutsideWorld } from '../saga/outside-world.ts'
import { cpuSecondsOf } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'

const ordersPerSecond = 500
const everySeconds = 2

export const memory: Benchmark = {
  name: 'memory',
  what: `Memory of each process while ${ordersPerSecond} orders per second pass the whole pipeline for ten minutes.`,
  unit: 'orders/s',
  events: { usual: 600 * ordersPerSecond, quick: 60 * ordersPerSecond },
  contenders: [
    {
      name: 'tally',
      setup:
        'one replica of each service and the embedded servers, without the supervisor; the largest MB (services: pages of their own; servers and the stack: with their share of common ones); slopes of the second half',
      measure,
    },
  ],
  bars: [
    { figure: 'largest consumer MB', atMost: 256 },
    { figure: 'steepest consumer MB/min', atMost: 1 },
  ],
}

async function measure(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const times = new OrderTimes()
  await using world = await startOutsideWorld(ground)
  await using pipeline = await startPipeline(ground, times.end)
  const servers = readStackRecord(sandbox.config.dataDir)?.processes ?? [] // None if external servers are used
  const roots = new Map([
    ...[...world.services, ...pipeline.services].map(({ name, pid }) => [name, pid] as const),
    ...servers.flatMap(({ name, identity }) => (identity ? [[name, identity.pid] as const] : [])),
  ])
  const [cpuBefore, machineSeconds, end] = [cpuSecondsOf(pipeline.services), startMachineWatch(), watchMemory(roots)]
  await placeOrders(pipeline.url, { orders: events, perSecond: ordersPerSecond, onPlaced: times.accept })
  await waitUntil(`${events} orders have ended`, () => times.ends >= events, { withinMs: 300_000, everyMs: 20 })
  const seen = end()
  return {
    perSecond: times.summarize(events).perSecond,
    cpuPerEvent: (cpuSecondsOf(pipeline.services) - cpuBefore) / events,
    machineCpuPerEvent: machineSeconds() / events,
    ...summarize(seen, new Set(servers.map(({ name }) => name))),
  }
}

/** Megabytes of each process and of the whole stack. */
function summarize(
  seen: ReadonlyMap<string, Usage[]>,
  servers: ReadonlySet<string>,
): Pick<Repeat, 'figures' | 'series'> {
  const of: Record<string, number[]> = {}
  for (const [name, usages] of seen)
    of[name] = usages.map(({ own, proportional }) => (servers.has(name) ? proportional : own) / 2 ** 20)
  const looks = Math.min(...[...seen.values()].map(({ length }) => length))
  of['whole stack'] = Array.from({ length: looks }, (_, look) =>
    [...seen.values()].reduce((sum, usages) => sum + (usages[look]?.proportional ?? 0) / 2 ** 20, 0),
  )
  const most = (name: string) => Math.max(...(of[name] ?? []))
  const slope = (name: string) => slopePerMinute(of[name] ?? [], everySeconds)
  const consumers = consumerFolders()
  return {
    figures: {
      'largest consumer MB': Math.max(...consumers.map(most)),
      'steepest consumer MB/min': Math.max(...consumers.map(slope)),
      ...Object.fromEntries(
        Object.keys(of).flatMap((name) => [
          [`${name} MB`, most(name)],
          [`${name} MB/min`, slope(name)],
        ]),
      ),
    },
    series: { unit: 'MB', everySeconds, of },
  }
}

/** Samples the memory of processes. @returns a function that stops it and returns the samples of each, oldest first */
function watchMemory(roots: ReadonlyMap<string, number>): () => Map<string, Usage[]> {
  const seen = new Map<string, Usage[]>([...roots.keys()].map((name) => [name, []]))
  const look = () => {
    for (const [name, usage] of usageOf(roots)) seen.get(name)?.push(usage)
  }
  look()
  const timer = setInterval(look, everySeconds * 1_000)
  return () => {
    clearInterval(timer)
    look()
    return seen
  }
}
