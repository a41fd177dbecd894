import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { allConsumerFolders, consumerMigrations, schemaName } from '../runtime/load-consumer.ts'
import { maintainInbox } from '../runtime/tables/inbox/partitions.ts'
import { parkedColumns } from '../runtime/tables/parked-row.ts'
import { fillTables } from './fill-tables.ts'
import { preparedStatements } from './prepared-statements.ts'
import type { Statement } from './prepared-statements.ts'

const producers = join(import.meta.dirname, '../../producers')
const outbox = ['lane-table', 'lane-leases', 'outbox-table'].map((file) => `producers/outbox/${file}.ts`)
const runtime = ['call', 'timer', 'parked', 'retry', 'pause'].map(
  (table) => `consumers/runtime/tables/${table}-table.ts`,
)
const rest = ['ledger', 'lane-state', 'inbox/inbox'].map((file) => `consumers/runtime/tables/${file}.ts`)

/** Statements that read a table as a whole on purpose: a row per lane, and not for each batch. */
const whole = new Set(['lane_raise', 'lease_keep', 'health_lanes'])

/**
 * Tables with a few rows per lane, whatever the number of events: analysed while empty, the planner may walk their whole
 * index. The outbox is such a table except after an outage; its removal names the rows by lane and number.
 */
const small = new Set(['lane', 'lane_state', 'pause', 'ledger', 'parked', 'outbox_batch'])

/** The orders API reads its own table and the projection. */
const reader = preparedStatements(['producers/orders-api/orders/order-reader.ts'])
const readerOf = (service: string): Statement[] =>
  reader.filter(({ name }) => service === (name === 'order_accepted' ? 'orders' : 'order-status'))

interface Plan {
  'Node Type': string
  'Relation Name': string
  'Index Cond'?: string
  Plans?: Plan[]
}

/** Reads of a table that look at all of its rows or of its index's entries. */
const wholeReads = (plan: Plan, passed: ReadonlySet<string>): string[] => [
  ...(plan['Node Type'] === 'Seq Scan' ? [`scans ${plan['Relation Name']}`] : []),
  ...(/^(Bitmap )?Index/.test(plan['Node Type']) && !plan['Index Cond'] && !passed.has(plan['Relation Name'])
    ? [`walks the whole index of ${plan['Relation Name']}`]
    : []),
  ...(plan.Plans ?? []).flatMap((inner) => wholeReads(inner, passed)),
]

async function readsOf(pool: Pool, text: string, passed: ReadonlySet<string>): Promise<string[]> {
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (generic_plan, format json) ${text}`)
  return wholeReads(rows[0]?.['QUERY PLAN'][0].Plan as Plan, passed)
}

const services = [
  ...allConsumerFolders().map((folder) => ({
    service: folder,
    files: [
      ...outbox,
      ...runtime,
      ...rest,
      `consumers/${folder.startsWith('forward-') ? 'forwarding' : folder}/*-table.ts`,
    ],
    folders: consumerMigrations(folder),
  })),
  {
    service: 'orders',
    files: [...outbox, 'producers/orders-api/orders/{catalogue,idempotency,order-book}.ts'],
    folders: ['outbox/sql', 'orders-api/sql'].map((path) => ({ name: path, path: join(producers, path) })),
  },
]

test.each(services)(
  'the statements of $service read by key, whatever the planner knows of the tables',
  async ({ service, files, folders }) => {
    await using sandbox = createSandbox()
    const { config, namespace, log } = sandbox
    const at = { url: config.postgres.url, schema: schemaName(namespace, service) }
    await migrate({ ...at, folders, log })
    const pool = createPool({ ...at, name: 'plans', max: 1, byKey: true, log })
    try {
      // What is explained below is what runs: a statement is not planned anew for its values
      expect((await pool.query('show plan_cache_mode')).rows).toEqual([{ plan_cache_mode: 'force_generic_plan' }])
      if (service !== 'orders') await maintainInbox(pool)
      const statements = [...preparedStatements(files, { parkedColumns }), ...readerOf(service)].filter(
        ({ name }) => !whole.has(name) && !name.startsWith('replay_'), // Those of replays run on other connections
      )
      expect(statements.length).toBeGreaterThan(10)
      const inState = async (state: string, passed = new Set<string>()): Promise<string[]> => {
        const found: string[] = []
        for (const { name, text } of statements)
          for (const read of await readsOf(pool, text, passed)) found.push(`${name} ${read}, tables ${state}`)
        return found
      }
      const bad = await inState('empty')
      await pool.query('analyze')
      bad.push(...(await inState('empty and analysed', small)))
      await pool.query('set enable_seqscan = on')
      expect(await inState('the control')).not.toEqual([])
      await pool.query('set enable_seqscan = off')
      await fillTables(pool, 20_000)
      bad.push(...(await inState('large and never analysed')))
      await pool.query('analyze')
      bad.push(...(await inState('large and analysed')))
      expect(bad).toEqual([])
    } finally {
      await pool.end()
    }
  },
)
