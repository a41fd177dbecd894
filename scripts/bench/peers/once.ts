import type pg from 'pg'

/**
 * Runs `work` in a transaction that stores the event's id, unless the id is known.
 * @returns false if the event was processed before
 */
export async function once(
  pool: pg.Pool,
  eventId: string,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rowCount } = await client.query({
      name: 'inbox',
      text: 'insert into inbox (event_id) values ($1) on conflict do nothing',
      values: [eventId],
    })
    if (rowCount) await work(client)
    await client.query('commit')
    return rowCount === 1
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** Stores an event for publishing in the same transaction. */
export async function appendOutbox(
  client: pg.PoolClient,
  event: { eventId: string; topic: string; key: string; value: Buffer },
): Promise<void> {
  await client.query({
    name: 'outbox',
    text: 'insert into outbox (event_id, topic, key, value) values ($1, $2, $3, $4)',
    values: [event.eventId, event.topic, event.key, event.value],
  })
}
