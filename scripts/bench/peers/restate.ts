// The pipeline as one Restate workflow per order: one process with the API and the workflow's four steps.
import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createEndpointHandler, workflow } from '@restatedev/restate-sdk'
import type { WorkflowContext } from '@restatedev/restate-sdk'
import pg from 'pg'
import { readParameters } from '../measured.ts'
import { outsideSteps, serveOrders, takeStock } from './saga-steps.ts'
import type { Line, OutsideWorld, PricedOrder } from './saga-steps.ts'

const { databaseUrl, schema, port, ingress, admin, ...world } = readParameters<
  OutsideWorld & {
    databaseUrl: string
    schema: string
    port: number
    /** Addresses of Restate: for requests, for deployments. */
    ingress: string
    admin: string
  }
>()
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 10 })
const outside = outsideSteps(world)
process.on('SIGTERM', () => process.exit())

/** A step may run again after a crash: the order's status says whether its stock is taken. */
async function reserve(orderId: string, lines: readonly Line[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rowCount } = await client.query({
      name: 'reserved',
      text: `update orders set status = 'reserved' where order_id = $1 and status = 'placed'`,
      values: [orderId],
    })
    if (rowCount === 1) await takeStock(client, lines)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

async function capture(orderId: string, authorizationId: string, totalMinor: number): Promise<void> {
  await outside.capture(orderId, authorizationId, totalMinor)
  await pool.query({
    name: 'captured',
    text: `update orders set status = 'captured', authorization_id = $2, ended_at = clock_timestamp()
           where order_id = $1 and status <> 'captured'`,
    values: [orderId, authorizationId],
  })
}

const saga = workflow({
  name: 'saga',
  handlers: {
    async run(context: WorkflowContext, order: PricedOrder): Promise<void> {
      const { orderId, lines, totalMinor } = order
      const authorizationId = await context.run('authorize', () => outside.authorize(order))
      await context.run('reserve', () => reserve(orderId, lines))
      await context.run('ship', () => outside.ship(order))
      await context.run('capture', () => capture(orderId, authorizationId, totalMinor))
    },
  },
})

async function send(url: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

const logger = (): void => {} // A failed step is repeated, and a lost order fails the run
const endpoint = createServer(createEndpointHandler({ services: [saga], logger })).listen(0, '127.0.0.1')
await once(endpoint, 'listening')
await send(`${admin}/deployments`, { uri: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}` })
serveOrders(pool, port, (order) => send(`${ingress}/saga/${order.orderId}/run/send`, order))
