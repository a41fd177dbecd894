import { randomUUID } from 'node:crypto'
import express from 'express'
import type pg from 'pg'

/** What the peers of the saga have in common: the API, and the calls and statements of the steps. */
export interface Line {
  readonly sku: string
  readonly quantity: number
}

export interface PricedOrder {
  readonly orderId: string
  readonly currency: string
  readonly totalMinor: number
  readonly lines: readonly Line[]
  readonly shipTo: object
}

/** Addresses of the payment gateway and the carrier. */
export interface OutsideWorld {
  readonly gateway: string
  readonly carrier: string
}

async function post(url: string, key: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 201) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, string>
}

export function outsideSteps({ gateway, carrier }: OutsideWorld) {
  return {
    async authorize({ orderId, totalMinor, currency }: Omit<PricedOrder, 'lines' | 'shipTo'>): Promise<string> {
      const request = { orderId, amountMinor: totalMinor, currency }
      const { authorizationId } = await post(`${gateway}/authorizations`, `${orderId}-authorize`, request)
      return String(authorizationId)
    },
    async ship({ orderId, lines, shipTo }: Pick<PricedOrder, 'orderId' | 'lines' | 'shipTo'>): Promise<void> {
      const units = lines.reduce((sum, { quantity }) => sum + quantity, 0)
      await post(`${carrier}/shipments`, `${orderId}-ship`, { orderId, shipTo, units })
    },
    async capture(orderId: string, authorizationId: string, amountMinor: number): Promise<void> {
      await post(`${gateway}/authorizations/${authorizationId}/capture`, `${orderId}-capture`, { amountMinor })
    },
  }
}

/** Takes the articles from stock, sorted by name to avoid deadlocks. */
export async function takeStock(client: pg.ClientBase, lines: readonly Line[]): Promise<void> {
  for (const { sku, quantity } of lines.toSorted((a, b) => (a.sku < b.sku ? -1 : 1))) {
    const text = 'update stock set on_hand = on_hand - $2 where sku = $1 and on_hand >= $2'
    await client.query({ name: 'reserve', text, values: [sku, quantity] })
  }
}

/**
 * Serves POST /orders: prices an order, stores it and answers 201.
 * @param stored called before the answer
 */
export function serveOrders(pool: pg.Pool, port: number, stored?: (order: PricedOrder) => Promise<void>): void {
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
    await stored?.({ orderId, currency, totalMinor, lines, shipTo })
    response.status(201).json({ orderId, status: 'placed' })
  })
  app.listen(port, '127.0.0.1', () => process.send?.({ type: 'ready' }))
}
