import type { Duplex } from 'node:stream'
import type pg from 'pg'

/**
 * Has what is sent on a connection within one turn of the event loop leave in one write, where `pg` makes one of each
 * statement: a write wakes the server, and waking it costs more than most statements do.
 */
export function sendTurnsAtOnce(client: pg.ClientBase): void {
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
