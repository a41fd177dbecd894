import type { Mutation } from '../../mutation.ts'

/** A process that cannot do its work says so, and only then. */
export const readiness: readonly Mutation[] = [
  {
    name: 'spans-without-budget',
    guard: 'a busy process exports a share of all traces',
    broken: 'it exports all, whatever that costs',
    edits: [
      {
        file: 'infra/monitor/span-budget.ts',
        find: 'if (++this.taken < most) return',
        replace: 'if (++this.taken >= 0) return',
      },
    ],
    noticedBy: {
      file: 'infra/monitor/span-budget.test.ts',
      title: 'of many a share is kept, and all again once they are few',
    },
  },
  {
    name: 'ready-without-heartbeat',
    guard: 'a replica that cannot heartbeat is not ready',
    broken: 'nobody asks',
    edits: [
      {
        file: 'consumers/runtime/start-consumer.ts',
        find: 'heartbeat: () => membership.silence,',
        replace: 'heartbeat: () => undefined,',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/meters/readiness.int.test.ts',
      title:
        'a replica is not ready while it cannot commit, heartbeat or publish, says which, and is ready again afterwards',
    },
  },
  {
    name: 'ready-without-commit',
    guard: 'a replica that cannot commit is not ready',
    broken: 'nobody asks',
    edits: [
      {
        file: 'consumers/runtime/start-consumer.ts',
        find: 'commit: () => meters?.batches.report() ?? databaseWrites(pool),',
        replace: 'commit: () => undefined,',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/meters/readiness.int.test.ts',
      title:
        'a replica is not ready while it cannot commit, heartbeat or publish, says which, and is ready again afterwards',
    },
  },
  {
    name: 'ready-without-publishing',
    guard: 'a replica that cannot publish is not ready',
    broken: 'nobody asks',
    edits: [
      {
        file: 'consumers/runtime/start-consumer.ts',
        find: 'publish: () => meters?.publishing.report(),',
        replace: 'publish: () => undefined,',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/meters/readiness.int.test.ts',
      title:
        'a replica is not ready while it cannot commit, heartbeat or publish, says which, and is ready again afterwards',
    },
  },
  {
    name: 'api-ready-without-database',
    guard: 'an orders API that cannot commit is not ready',
    broken: 'nobody asks',
    edits: [
      {
        file: 'producers/orders-api/start-order-writing.ts',
        find: 'commit: () => databaseWrites(pool),',
        replace: 'commit: () => undefined,',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/readiness.int.test.ts',
      title:
        'the orders API is not ready while the database does not commit, and is again afterwards; without Kafka it stays ready',
    },
  },
  {
    name: 'single-failure-lasts',
    guard: 'one short failure is not reported when nothing is tried afterwards',
    broken: 'it is, once some seconds have passed',
    edits: [
      {
        file: 'infra/monitor/trouble.ts',
        find: 'this.latest - this.since >= reportAfterMs',
        replace: 'now - this.since >= reportAfterMs',
      },
    ],
    noticedBy: {
      file: 'infra/monitor/trouble.test.ts',
      title: 'failures are reported once they have lasted, until an attempt succeeds',
    },
  },
]
