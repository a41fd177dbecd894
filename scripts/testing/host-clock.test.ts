import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '../..')

/**
 * Files that read the clock of their host, and for what. None decides by it what becomes of stored data: that asks the
 * database (`databaseTime`, `now()` in the statement), because a host may be weeks ahead or behind.
 */
const readers: Readonly<Record<string, string>> = {
  'consumers/operations/doctor/examine.ts': 'compares it with that of the database',
  'consumers/operations/lanes/topic-ends.ts': 'shows lag',
  'consumers/operations/orders/read-order.ts': 'where to look while the database is away',
  'consumers/operations/replay/dry-run/dry-run-lane.ts': 'time of events that are not stored',
  'consumers/operations/replay/plan/make-plan.ts': 'stamps a plan',
  'consumers/operations/replay/plan/range-bound.ts': 'reads "2h ago" as the operator means it',
  'consumers/operations/replay/rebuild/fold-lane.ts': 'time of events that are not stored',
  'consumers/operations/replay/run/execute-run.ts': 'ends a run at the time the operator gave',
  'consumers/operations/replay/run/run-replay.ts': 'refuses a time that is past',
  'consumers/operations/replicas/consumer-load.ts': 'shows lag',
  'consumers/runtime/batch/apply-batch.ts': 'time of events',
  'consumers/runtime/meters/lane-lag.ts': 'shows lag',
  'consumers/shipping/opening-carrier.ts': 'time of answers',
  'infra/doctor/check-at-start.ts': 'compares it with that of the database',
  'infra/kafka/reading/open-transactions.ts': 'shows how long a transaction has been open',
  'infra/kafka/patches/produce/produce-request.ts': 'time of records',
  'infra/security/certificates.ts': 'lifetime of certificates',
  'infra/simulators/answer-book.ts': 'time of answers',
  'infra/stack/supervisor/supervised-process.ts': 'uptime',
  'infra/stack/supervisor/supervisor.ts': 'uptime',
  'producers/direct/publisher.ts': 'time of events; own deadlines',
  'producers/orders-api/orders/placing/place-order.ts': 'time of events',
  'producers/orders-api/orders/write-orders.ts': 'time of events',
  'producers/outbox/outbox-batch.ts': 'shows the age of events',
  'producers/outbox/publish-watch.ts': 'shows the age of events',
  'producers/outbox/relay.ts': 'own deadlines',
  'schemas/event-id.ts': 'time inside new ids',
}

const isTest = /(^|\/)(testing|sample-data)\/|\.test\.ts$/

test('the clock of a host is read only in known places, none of which decides on stored data', () => {
  const found = globSync('{consumers,producers,infra,schemas}/**/*.ts', { cwd: root })
    .filter((path) => !isTest.test(path) && /Date\.now\b|new Date\(\)/.test(readFileSync(resolve(root, path), 'utf8')))
    .sort()
  expect(found).toEqual(Object.keys(readers).sort())
})
