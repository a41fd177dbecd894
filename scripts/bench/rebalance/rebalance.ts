import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { kafkajsGroup, ours, peerSetup } from './contestants.ts'
import type { Prepare } from './contestants.ts'
import { figuresOf } from './figures.ts'
import { assertBooks, orders, runGroup, startReplica } from './run-group.ts'
import type { Books, Step } from './run-group.ts'

const steps: readonly Step[] = [
  { name: 'stop', afterSeconds: 3, act: async (replicas) => replicas[0]?.[Symbol.asyncDispose]() },
  { name: 'start', afterSeconds: 4, act: startReplica },
  { name: 'kill', afterSeconds: 5, act: async (replicas) => replicas[1]?.signal('SIGKILL') },
]

export const rebalance: Benchmark = {
  name: 'rebalance',
  what: 'Three replicas, 12 lanes, 500 orders a second: one replica is told to end, one is started, one is killed.',
  unit: 'orders/s',
  events: { usual: orders(26), quick: orders(26) },
  plotted: 'stop: moved, longest ms',
  contenders: [
    {
      name: 'tally',
      setup: 'three replicas; the longest time without an event on a lane of the output counts',
      measure: (ground) => measure(ground, ours, assertBooks),
    },
    { name: 'kafkajs group', setup: peerSetup, measure: (ground) => measure(ground, kafkajsGroup) },
  ],
  bars: [
    { figure: 'stop: moved, longest ms', atMost: 1_000 },
    { figure: 'kill: moved, longest ms', atMost: 7_000 },
  ],
}

async function measure(ground: Ground, prepare: Prepare, judge?: (books: Books) => void): Promise<Repeat> {
  const { passages, books, repeat } = await runGroup(ground, prepare, steps)
  judge?.(books)
  return { ...repeat, figures: { ...figuresOf(passages), ...books } }
}
