import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { isTransient } from '../../infra/postgres/sqlstates.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { unpackRecords } from '../../infra/kafka/patches/produce/packed-records.ts'
import { readEvents } from './testing/stored-events.ts'
import { readLane } from './outbox-table.ts'

const files = join(import.meta.dirname, 'sql')

test('events that an older version left in its outbox stay, and it can write no more', async () => {
  await using sandbox = createSandbox()
  const { config, namespace, log } = sandbox
  const at = { url: config.postgres.url, schema: `${namespace}before`, log }
  const older = await mkdtemp(join(tmpdir(), 'tally-sql-'))
  const pool = createPool({ ...at, name: 'migration', max: 1 })
  try {
    await cp(files, older, { recursive: true, filter: (path) => !path.includes('004_') })
    await migrate({ ...at, folders: [{ name: 'outbox', path: older }] })
    const events = [1, 2, 3].flatMap((seq) =>
      [0, 7].map((lane) => ({
        ...{ lane, seq, eventId: newEventId(), topic: 'orders.g2', key: `Ærøskøbing ✓ ${seq}` },
        headers: { ce_id: '', text: '"ü" \\', empty: '', long: 'x'.repeat(9_000 * seq), ce_sequence: String(seq) },
        value: Buffer.alloc([0, 63, 64, 70_000][seq] ?? 0, seq),
      })),
    )
    for (const event of events) event.headers.ce_id = event.eventId
    const insert = (event: (typeof events)[0]) =>
      pool.query('insert into outbox values ($1, $2, $3, $4, $5, $6, $7)', [
        ...[event.lane, event.seq, event.eventId, event.topic, event.key],
        ...[JSON.stringify(event.headers), event.value],
      ])
    for (const event of events) await insert(event)

    await migrate({ ...at, folders: [{ name: 'outbox', path: files }] })
    const moved = await readEvents(pool)
    expect(moved).toEqual(events.toSorted((a, b) => a.lane - b.lane || a.seq - b.seq))
    for await (const batch of readLane(pool, 7)) {
      expect(batch).toMatchObject({ count: 1, bytes: batch.records.length })
      expect(unpackRecords(batch)).toHaveLength(1)
    }
    const refused = await insert(events[0]!).catch((error: unknown) => error)
    expect(refused).toMatchObject({ message: 'this replica is of a version that has been replaced' })
    expect(isTransient(refused)).toBe(true)
    expect((await pool.query('select from outbox')).rowCount).toBe(0)
  } finally {
    await pool.end()
    await rm(older, { recursive: true })
  }
})
