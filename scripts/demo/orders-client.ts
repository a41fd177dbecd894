import { setTimeout as delay } from 'node:timers/promises'
import { TallyError } from '../../infra/errors.ts'
import type { Article } from '../../producers/demo-catalogue.ts'
import type { OrderPlaced } from '../../schemas/generated/events.ts'

export interface Accepted {
  orderId: string
  /** UTC epoch ms; long ago if the key was used before. */
  placedAt: number
}

/** The orders API as a customer's program sees it. Every call is repeated, with its key, until there is an answer. */
export interface OrdersClient {
  putProduct(article: Article): Promise<void>
  /** The API chooses the order's id; the same key gives the same order. */
  placeOrder(order: Pick<OrderPlaced, 'customerId' | 'currency' | 'lines' | 'shipTo'>, key: string): Promise<Accepted>
  requestCancellation(orderId: string, reason: string, key: string): Promise<void>
}

/** Answers that mean "not now". */
const busy: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * @param signal ends the waiting for an API that does not answer
 * @throws TallyError INVARIANT from every call the API refuses
 */
export function createOrdersClient(url: string, signal: AbortSignal): OrdersClient {
  const ask = async (method: string, path: string, body: object, key?: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) }
    for (let pauseMs = 10; ; pauseMs = Math.min(500, pauseMs * 2)) {
      const response = await fetch(`${url}${path}`, { method, headers, body: JSON.stringify(body), signal }).catch(
        () => undefined,
      )
      signal.throwIfAborted()
      if (response?.ok) return response.json().catch(() => undefined)
      if (response && !busy.has(response.status)) {
        throw new TallyError(
          'INVARIANT',
          `The orders API refused ${method} ${path}: ${response.status} ${await response.text()}`,
        )
      }
      await response?.body?.cancel()
      await delay(pauseMs, undefined, { signal })
    }
  }
  return {
    async putProduct({ sku, name, unitPriceMinor, currency }) {
      await ask('PUT', `/products/${encodeURIComponent(sku)}`, {
        name,
        unitPriceMinor: String(unitPriceMinor),
        currency,
      })
    },
    async placeOrder({ customerId, currency, lines, shipTo }, key) {
      const body = { customerId, currency, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })), shipTo }
      const { orderId, placedAt } = (await ask('POST', '/orders', body, key)) as { orderId: string; placedAt: string }
      return { orderId, placedAt: Date.parse(placedAt) }
    },
    async requestCancellation(orderId, reason, key) {
      await ask('POST', `/orders/${encodeURIComponent(orderId)}/cancellation`, { reason }, key)
    },
  }
}
