// The usual first version of the pipeline: each step polls for orders in its status (`for update skip locked`) and advances
// them. One process for the API, one for each step.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import pg from 'pg'
import { readParameters } from '../measured.ts'

const { databaseUrl, schema, port, stage, gateway, carrier } = readParameters<{
  databaseUrl: string
  schema: string
  port: number
  /** `api`, or a key of `steps`. */
  stage: string
  gateway: string
  carrier: string
}>()
const perPoll = 100
const pauseMs = 10
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 10 })
let stopping = false
process.on('SIGTERM', () => (stopping = true))

interface Line {
  sku: string
  quantity: number
}

interface Order {
  order_id: string
  currency: string
  total_minor: string
  lines: Line[]
  ship_to: object
  authorization_id: string | null
}

async function post(url: string, key: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 201) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, string>
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
    async work(_client, { order_id, currency, total_minor }) {
      const request = { orderId: order_id, amountMinor: Number(total_minor), currency }
      const { authorizationId } = await post(`${gateway}/authorizations`, `${order_id}-authorize`, request)
      return { authorizationId }
    },
  },
  reserve: {
    from: 'authorized',
    to: 'reserved',
    async work(client, { lines }) {
      for (const { sku, quantity } of lines.toSorted((a, b) => (a.sku < b.sku ? -1 : 1))) {
        const text = 'update stock set on_hand = on_hand - $2 where sku = $1 and on_hand >= $2'
        await client.query({ name: 'reserve', text, values: [sku, quantity] })
      }
      return {}
    },
  },
  ship: {
    from: 'reserved',
    to: 'shipped',
    async work(_client, { order_id, lines, ship_to }) {
      const units = lines.reduce((sum, { quantity }) => sum + quantity, 0)
      await post(`${carrier}/shipments`, `${order_id}-ship`, { orderId: order_id, shipTo: ship_to, units })
      return {}
    },
  },
  capture: {
    from: 'shipped',
    to: 'captured',
    async work(_client, { order_id, authorization_id, total_minor }) {
      const url = `${gateway}/authorizations/${authorization_id}/capture`
      await post(url, `${order_id}-capture`, { amountMinor: Number(total_minor) })
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

function serve(): void {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.post('/orders', express.json(), async (request, response) => {
    const { currency, lines, shipTo } = request.body as { currency: string; lines: Line[]; shipTo: object }
    const { rows } = await pool.query<{ sku: string; price: string }>({
      name: 'prices',
      text: 'select sku, unit_price_minor as price from product where sku = any($1)',
      values: [lines.map(({ sku }) => sku)],
    })
    const prices = new Map(rows.map(({ sku, price }) => [sku, Number(price)]))
    const totalMinor = lines.reduce((sum, { sku, quantity }) => sum + quantity * (prices.get(sku) ?? 0), 0)
    const orderId = randomUUID()
    await pool.query({
      name: 'place',
      text: `insert into orders (order_id, status, currency, total_minor, lines, ship_to) values ($1, 'placed', $2, $3, $4, $5)`,
      values: [orderId, currency, totalMinor, JSON.stringify(lines), JSON.stringify(shipTo)],
    })
    response.status(201).json({ orderId, status: 'placed' })
  })
  app.listen(port, '127.0.0.1', () => process.send?.({ type: 'ready' }))
  process.on('SIGTERM', () => process.exit())
}

const step = steps[stage]
if (step) await pollOnAndOn(step)
else serve()
