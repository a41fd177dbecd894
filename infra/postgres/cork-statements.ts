import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { corkWrites } from '../linger/cork-writes.ts'

/** Sends all statements of one turn of the event loop in one write; `pg` makes a write of each. */
export function corkStatements(client: pg.ClientBase): void {
  const cork = corkWrites((client as unknown as { connection: { stream: Duplex } }).connection.stream)
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  const send = (...args: unknown[]): unknown => {
    cork()
    return query(...args)
  }
  client.query = send as typeof client.query
}
