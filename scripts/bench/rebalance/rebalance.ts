import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { kafkajsGroup, ours, peerSetup } from './measured-groups.ts'
import type { Prepare } from './measured-groups.ts'
import { figuresOf } from './figures.ts'
import { assertExactlyOnce, orders, runGroup, startReplica } from './run-group.ts'
import type { Outcome, Step } from './run-group.ts'

const steps: readonly Step[] = [
  { name: 'stop', afterSeconds: 3, act: async (replicas) => replicas[0]?.[Symbol.asyncDispose]() },
  { name: 'start', afterSeconds: 4, act: startReplica },
  { name: 'kill', afterSeconds: 5, act: async (replicas) => replicas[1]?.signal('SIGKILL') },
]

export const rebalance: Benchmark = {
  name: 'rebalance',
  what: 'Three replicas, 12 lanes, 500 orders per second: one replica is stopped, one is started, one is killed.',
  unit: 'orders/s',
  events: { usual: orders(26), quick: orders(26) },
  plotted: 'stop: moved, longest ms',
  contenders: [
    {
      name: 'tally',
      setup: 'three replicas; a pause is the longest time without an event on a lane of the output',
      measure: (ground) => measure(ground, ours, assertExactlyOnce),
    },
    { name: 'kafkajs group', setup: peerSetup, measure: (ground) => measure(ground, kafkajsGroup) },
  ],
  bars: [
    { figure: 'stop: moved, longest ms', atMost: 1_000 },
    { figure: 'kill: moved, longest ms', atMost: 7_000 },
  ],
}

async function measure(ground: Ground, prepare: Prepare, judge?: (outcome: Outcome) => void): Promise<Repeat> {
  const { passages, outcome, repeat } = await runGroup(ground, prepare, steps)
  judge?.(outcome)
  return { ...repeat, figures: { ...figuresOf(passages), ...outcome } }
}
