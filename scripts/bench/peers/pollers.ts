// The usual first version of the pipeline: each step polls for orders in its status (`for update skip locked`) and advances
// them. One process for the API, one for each step.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { readParameters } from '../measured.ts'
import { outsideSteps, serveOrders, takeStock } from './saga-steps.ts'
import type { Line, OutsideWorld } from './saga-steps.ts'

const { databaseUrl, schema, port, stage, ...world } = readParameters<
  OutsideWorld & {
    databaseUrl: string
    schema: string
    port: number
    /** `api`, or a key of `steps`. */
    stage: string
  }
>()
const perPoll = 100
const pauseMs = 10
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 10 })
const outside = outsideSteps(world)
let stopping = false
process.on('SIGTERM', () => (stopping = true))

interface Order {
  order_id: string
  currency: string
  total_minor: string
  lines: Line[]
  ship_to: object
  authorization_id: string | null
}

interface Step {
  from: string
  to: string
  /** Changes of an order within its transaction. */
  work(client: pg.PoolClient, order: Order): Promise<{ authorizationId?: string | undefined }>
}

const steps: Record<string, Step> = {
  authorize: {
    from: 'placed',
    to: 'authorized',
    async work(_client, { order_id: orderId, currency, total_minor }) {
      return { authorizationId: await outside.authorize({ orderId, currency, totalMinor: Number(total_minor) }) }
    },
  },
  reserve: {
    from: 'authorized',
    to: 'reserved',
    async work(client, { lines }) {
      await takeStock(client, lines)
      return {}
    },
  },
  ship: {
    from: 'reserved',
    to: 'shipped',
    async work(_client, { order_id: orderId, lines, ship_to: shipTo }) {
      await outside.ship({ orderId, lines, shipTo })
      return {}
    },
  },
  capture: {
    from: 'shipped',
    to: 'captured',
    async work(_client, { order_id, authorization_id, total_minor }) {
      await outside.capture(order_id, String(authorization_id), Number(total_minor))
      return {}
    },
  },
}

/** @returns the number of orders advanced */
async function poll({ from, to, work }: Step): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query<Order>({
      name: 'find',
      text: `select order_id, currency, total_minor, lines, ship_to, authorization_id from orders
             where status = $1 order by placed_at limit ${perPoll} for update skip locked`,
      values: [from],
    })
    const outcomes = from === 'authorized' ? [] : await Promise.all(rows.map((order) => work(client, order)))
    for (const [index, order] of rows.entries()) {
      const { authorizationId } = outcomes[index] ?? (await work(client, order))
      await client.query({
        name: 'move',
        text: `update orders set status = $2, authorization_id = coalesce($3, authorization_id), ended_at = case when $2 = 'captured' then clock_timestamp() end
               where order_id = $1`,
        values: [order.order_id, to, authorizationId],
      })
    }
    await client.query('commit')
    return rows.length
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

async function pollOnAndOn(step: Step): Promise<void> {
  process.send?.({ type: 'ready' })
  while (!stopping) {
    const moved = await poll(step)
    if (moved === 0) await sleep(pauseMs)
  }
  await pool.end()
  process.exit()
}

const step = steps[stage]
if (step) await pollOnAndOn(step)
else {
  process.on('SIGTERM', () => process.exit())
  serveOrders(pool, port)
}
