import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { kafkajsGroup, ours, peerSetup, streams, streamsSetup } from '../rebalance/measured-groups.ts'
import type { Prepare } from '../rebalance/measured-groups.ts'
import { figuresOf } from '../rebalance/figures.ts'
import { assertExactlyOnce, orders, runGroup } from '../rebalance/run-group.ts'
import type { Outcome, Step } from '../rebalance/run-group.ts'
import { runApi } from './run-api.ts'
import type { ApiStep } from './run-api.ts'

const consumerSteps: readonly Step[] = [
  { name: 'kill', afterSeconds: 3, act: async (replicas) => replicas[0]?.signal('SIGKILL') },
  { name: 'freeze', afterSeconds: 9, act: async (replicas) => replicas[1]?.signal('SIGSTOP') },
  { name: 'thaw', afterSeconds: 9, act: async (replicas) => replicas[1]?.signal('SIGCONT') },
]

const apiSteps: readonly ApiStep[] = [
  { name: 'kill', afterSeconds: 3, signal: 'SIGKILL' },
  { name: 'freeze', afterSeconds: 6, signal: 'SIGSTOP' },
  { name: 'thaw', afterSeconds: 6, signal: 'SIGCONT' },
]

const api = 'tally, orders API'

export const recovery: Benchmark = {
  name: 'recovery',
  what: 'At 500 orders per second one process is killed, and another is frozen and resumed some seconds later.',
  unit: 'orders/s',
  events: { usual: orders(27), quick: orders(27) },
  plotted: 'kill: moved, longest ms',
  contenders: [
    {
      name: 'tally',
      setup: 'three replicas of a consumer; a pause is the longest time without an event on a lane of the output',
      measure: (ground) => measure(ground, ours, assertExactlyOnce),
    },
    { name: 'kafkajs group', setup: peerSetup, measure: (ground) => measure(ground, kafkajsGroup) },
    { name: 'Kafka Streams', setup: streamsSetup, measure: (ground) => measure(ground, streams) },
    {
      name: api,
      setup:
        'two replicas, of which the publishing one is hit; clients wait 1 s for an answer, then repeat the request to the other with the same idempotency key',
      share: 20 / 27,
      measure: (ground) => runApi(ground, apiSteps),
    },
  ],
  bars: [
    ...['kill', 'freeze'].map((step) => ({ figure: `${step}: moved, longest ms`, atMost: 7_000 })),
    ...['kill', 'freeze'].flatMap((step) =>
      ['slowest answer', 'publisher pause'].map((what) => ({
        contender: api,
        figure: `${step}: ${what} ms`,
        atMost: 2_000,
      })),
    ),
  ],
}

async function measure(ground: Ground, prepare: Prepare, judge?: (outcome: Outcome) => void): Promise<Repeat> {
  const { passages, outcome, repeat } = await runGroup(ground, prepare, consumerSteps)
  judge?.(outcome)
  return { ...repeat, figures: { ...figuresOf(passages), ...outcome } }
}
