// The usual first version: Express, a price lookup and an insert per order, no events.
import { randomUUID } from 'node:crypto'
import express from 'express'
import pg from 'pg'
import { readParameters } from '../measured.ts'

const { databaseUrl, schema, port } = readParameters<{ databaseUrl: string; schema: string; port: number }>()
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 10 })
const app = express()
app.disable('x-powered-by').disable('etag')

interface Line {
  sku: string
  quantity: number
}

app.post('/orders', express.json(), async (request, response) => {
  const { customerId, currency, lines, shipTo } = request.body as {
    customerId: string
    currency: string
    lines: Line[]
    shipTo: object
  }
  const { rows } = await pool.query<{ sku: string; unit_price_minor: string }>({
    name: 'prices',
    text: 'select sku, unit_price_minor from product where sku = any($1)',
    values: [lines.map(({ sku }) => sku)],
  })
  const prices = new Map(rows.map((row) => [row.sku, Number(row.unit_price_minor)]))
  const unknown = lines.find(({ sku }) => !prices.has(sku))
  if (unknown) {
    response.status(422).json({ error: `no article ${unknown.sku}` })
    return
  }
  const priced = lines.map(({ sku, quantity }) => {
    const unitPriceMinor = prices.get(sku) ?? 0
    return { sku, quantity, unitPriceMinor, amountMinor: quantity * unitPriceMinor }
  })
  const totalMinor = priced.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  const orderId = randomUUID()
  const placedAt = new Date()
  await pool.query({
    name: 'insert',
    text: `insert into placed_order (order_id, event_id, customer_id, currency, total_minor, lines, ship_to, placed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      ...[orderId, randomUUID(), customerId, currency, totalMinor],
      ...[JSON.stringify(priced), JSON.stringify(shipTo), placedAt],
    ],
  })
  response
    .status(201)
    .location(`/orders/${orderId}`)
    .json({ orderId, status: 'placed', currency, totalMinor: String(totalMinor), placedAt: placedAt.toISOString() })
})

const server = app.listen(port, '127.0.0.1', () => process.send?.({ type: 'ready' }))
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
  void pool.end().then(() => process.exit())
})
