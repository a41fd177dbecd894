import type { Pool } from '../../../infra/postgres/pool.ts'
import { Client } from './client.ts'
import type { PoolOptions } from './client.ts'
import type { VirtualClock } from '../time/virtual-clock.ts'

const connections = 4
const connectWithinMs = 5_000

type Query = string | { text: string; name?: string; values?: unknown[] }

/**
 * The part of `pg.Pool` that the runtime uses.
 * @returns the pool, and `cut`, which breaks all its connections as the end of the process does
 */
export function simulatedPool(options: PoolOptions): { pool: Pool; cut(): void } {
  const { clock } = options
  const all: Client[] = []
  const idle: Client[] = []
  const waiting: (() => void)[] = []
  let open = 0
  const free = () => waiting.shift()?.()

  const connect = async (): Promise<Client & { release(broken?: Error): void }> => {
    if (idle.length === 0 && open >= connections) await inTime(clock, waiting)
    open++
    let client = idle.pop()
    if (!client) all.push((client = new Client(options)))
    const release = (broken?: Error) => {
      open--
      if (broken || client.lost) client.close()
      else idle.push(client)
      free()
    }
    return Object.assign(client, { release })
  }
  const query = async (text: Query, values?: unknown[]) => {
    const client = await connect()
    try {
      return await client.query(text, values)
    } finally {
      client.release()
    }
  }
  const pool = { connect, query, on: () => {}, end: async () => {}, options: { max: connections } } as unknown as Pool
  return { pool, cut: () => all.forEach((client) => client.close()) }
}

function inTime(clock: VirtualClock, waiting: (() => void)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = () => ((timeout.cancelled = true), resolve())
    const timeout = clock.after(connectWithinMs, () => {
      waiting.splice(waiting.indexOf(go), 1)
      reject(new Error('timeout exceeded when trying to connect'))
    })
    waiting.push(go)
  })
}
