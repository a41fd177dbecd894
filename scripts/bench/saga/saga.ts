import type { Benchmark } from '../benchmark.ts'
import { startPipeline } from './ours.ts'
import { startPollers } from './pollers.ts'
import { restateMissing, restateVersion, startRestate } from './restate.ts'
import { calmStages, runStages } from './run-stages.ts'

const ordersBefore = 1_000_000
const seasoned = 'tally, 10^6 orders before'

export const saga: Benchmark = {
  name: 'saga',
  what: `Orders from the API to the captured payment: the most per second, then the latency after the 201 at ${calmStages.join(' and ')} % of that.`,
  unit: 'orders/s',
  events: { usual: 20_000, quick: 1_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'one replica of each service',
      measure: (ground) => runStages(ground, startPipeline),
    },
    {
      name: seasoned,
      setup: `the same with ${ordersBefore.toLocaleString('en')} orders in its tables, which have no statistics`,
      large: true,
      measure: (ground) => runStages(ground, (on, ended) => startPipeline(on, ended, { ordersBefore })),
    },
    {
      name: 'pollers',
      setup:
        'Express and one process per step; up to 100 orders per poll, for update skip locked, 10 ms pause when idle',
      measure: (ground) => runStages(ground, startPollers),
    },
    {
      name: 'restate',
      setup: `Restate ${restateVersion}, default settings: one workflow per order with a step for each of authorize, reserve, ship and capture, in one Node process with the API (Express)`,
      missing: restateMissing,
      measure: (ground) => runStages(ground, startRestate),
    },
  ],
  bars: [
    { against: 'pollers', atLeast: 1.2 },
    { against: 'restate', atLeast: 2.5 },
    { contender: seasoned, against: 'tally', atLeast: 0.9 },
    { figure: 'p50 ms at 40 %', atMost: 60 },
    { figure: 'p99 ms at 40 %', atMost: 250 },
  ],
}
