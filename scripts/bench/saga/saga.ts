import type { Benchmark } from '../benchmark.ts'
import { startPipeline } from './ours.ts'
import { startPollers } from './pollers.ts'
import { busy, calm, runStages } from './run-stages.ts'

export const saga: Benchmark = {
  name: 'saga',
  what: `Orders through the API to the captured payment: ${calm} a second for the times from the 201 on, ${busy} a second for the rate.`,
  unit: 'orders/s',
  events: { usual: 20_000, quick: 1_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'one replica of each service',
      measure: (ground) => runStages(ground, startPipeline),
    },
    {
      name: 'pollers',
      setup:
        'Express and a process for each step; up to 100 orders a poll, for update skip locked, 10 ms pause when idle',
      measure: (ground) => runStages(ground, startPollers),
    },
  ],
  bars: [
    { atLeast: 0.95 * busy },
    { figure: `p50 ms at ${calm}/s`, atMost: 50 },
    { figure: `p99 ms at ${calm}/s`, atMost: 250 },
  ],
}
