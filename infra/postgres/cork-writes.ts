import type { Duplex } from 'node:stream'
import type pg from 'pg'

/**
 * Sends all statements of one turn of the event loop in one write; `pg` makes a write of each. A write wakes the server,
 * which costs more than most statements.
 */
export function corkWrites(client: pg.ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  let corked = false
  const send = (...args: unknown[]): unknown => {
    if (!corked) {
      corked = true
      stream.cork()
      process.nextTick(() => {
        corked = false
        stream.uncork()
      })
    }
    return query(...args)
  }
  client.query = send as typeof client.query
}
