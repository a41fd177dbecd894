import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { kafkajsGroup, ours, peerSetup, streams, streamsSetup } from '../rebalance/contestants.ts'
import type { Prepare } from '../rebalance/contestants.ts'
import { figuresOf } from '../rebalance/figures.ts'
import { assertBooks, orders, runGroup } from '../rebalance/run-group.ts'
import type { Books, Step } from '../rebalance/run-group.ts'
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
  what: 'At 500 orders a second a process is killed with signal 9, another frozen and let go on some seconds later.',
  unit: 'orders/s',
  events: { usual: orders(27), quick: orders(27) },
  plotted: 'kill: moved, longest ms',
  contenders: [
    {
      name: 'tally',
      setup: 'three replicas of a consumer; the longest time without an event on a lane of the output counts',
      measure: (ground) => measure(ground, ours, assertBooks),
    },
    { name: 'kafkajs group', setup: peerSetup, measure: (ground) => measure(ground, kafkajsGroup) },
    { name: 'Kafka Streams', setup: streamsSetup, measure: (ground) => measure(ground, streams) },
    {
      name: api,
      setup:
        'two replicas, the one that publishes is hit; clients wait a second for an answer, then ask the other with the same idempotency key',
      share: 20 / 27,
      measure: (ground) => runApi(ground, apiSteps),
    },
  ],
  bars: [
    ...['kill', 'freeze'].map((step) => ({ figure: `${step}: moved, longest ms`, atMost: 7_000 })),
    ...['kill', 'freeze'].flatMap((step) =>
      ['slowest answer', 'publisher still'].map((what) => ({
        contender: api,
        figure: `${step}: ${what} ms`,
        atMost: 2_000,
      })),
    ),
  ],
}

async function measure(ground: Ground, prepare: Prepare, judge?: (books: Books) => void): Promise<Repeat> {
  const { passages, books, repeat } = await runGroup(ground, prepare, consumerSteps)
  judge?.(books)
  return { ...repeat, figures: { ...figuresOf(passages), ...books } }
}
