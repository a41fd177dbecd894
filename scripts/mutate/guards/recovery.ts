import type { Mutation } from '../mutation.ts'

const lane = 'consumers/runtime/lane.ts'
const takeBatch = 'consumers/runtime/take-batch.ts'
const simulation = {
  file: 'consumers/simulation/simulation.test.ts',
  // oxlint-disable-next-line no-template-curly-in-string
  title: 'keeps its promises in ${seeds} worlds',
}

/** That a failure at any moment leaves nothing half done: what only many interleavings show. */
export const recovery: readonly Mutation[] = [
  {
    name: 'failure-goes-on',
    guard: 'after a failure a lane is claimed again',
    broken: 'it goes on with what it remembers',
    edits: [{ file: lane, find: 'else this.setAside(error)', replace: 'else this.context.readOn(this.number)' }],
    noticedBy: simulation,
  },
  {
    name: 'row-apart',
    guard: 'the row of an answer or timer leaves in the transaction of its effects',
    broken: 'it leaves in one of its own before',
    edits: [
      {
        file: takeBatch,
        find: '{ definition, codec, breaker, policy, owner }: TakeContext',
        replace: '{ definition, codec, breaker, policy, owner, pool }: TakeContext',
      },
      {
        file: takeBatch,
        find: 'await takeNew(tx, own,',
        replace: "await takeNew(batch.source === 'record' || batch.source === 'parked' ? tx : (pool as never), own,",
      },
    ],
    noticedBy: simulation,
  },
  {
    name: 'call-before-commit',
    guard: 'calls are made after the commit',
    broken: 'they are made while the transaction is open',
    edits: [
      {
        file: lane,
        find: 'const taken = await takeBatch(this.context, {',
        replace: `const early = (calls: any) => this.calls?.offer(calls)
    const taken = await takeBatch({ ...this.context, early } as any, {`,
      },
      { file: lane, find: 'this.calls?.offer(taken.calls)', replace: '' },
      {
        file: takeBatch,
        find: 'applyBatch(tx, context, own, batch, refusal),\n',
        replace:
          'applyBatch(tx, context, own, batch, refusal).then((done) => ((context as any).early?.(done.outcome.calls), done)),\n',
      },
    ],
    noticedBy: simulation,
  },
  {
    name: 'removes-unsent',
    guard: 'only acknowledged rows leave the outbox',
    broken: 'the next one leaves with them',
    edits: [
      {
        file: 'producers/outbox/relay.ts',
        find: 'upTo.set(feed.lane, last.seq)',
        replace: 'upTo.set(feed.lane, last.seq + 1)',
      },
    ],
    noticedBy: simulation,
  },
]
