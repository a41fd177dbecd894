import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import type { z } from 'zod'
import { denied, isDenial } from '../../infra/server-address.ts'
import { isTallyError, TallyError } from '../../infra/errors.ts'
import type { EventData } from '../../schemas/generated/events.ts'
import type { newProduct, NewOrder, placedOrder } from '../orders-api/http/contract.ts'

export interface ApiClientOptions {
  /** URL of the orders API, such as http://127.0.0.1:28080. */
  url: string
  /** Gives the bearer token of each request; see `commandToken`. @default none is sent */
  token?: () => Promise<string | undefined>
  /** Ends requests and the delays between them. */
  signal?: AbortSignal
}

type PlacedOrder = z.infer<typeof placedOrder>

const timeoutMs = 10_000

/** A client of the orders API for scripts. All its requests are idempotent and are retried while the API is overloaded or restarting. */
export class ApiClient {
  private readonly url: string
  private readonly token: () => Promise<string | undefined>
  private readonly signal: AbortSignal | undefined
  private reached = false
  private readonly patience = retry(
    handleWhen((error) => isTallyError(error, 'UNREACHABLE')),
    {
      maxAttempts: 8,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 3_000 }),
    },
  )

  constructor({ url, token = async () => undefined, signal }: ApiClientOptions) {
    this.url = url
    this.token = token
    this.signal = signal
  }

  /** @throws TallyError REFUSED_BY_API with the API's reason; the error of fetch if nothing ever listened there */
  async putProduct(sku: string, product: z.infer<typeof newProduct>): Promise<void> {
    await this.request('PUT', `/products/${encodeURIComponent(sku)}`, product)
  }

  /**
   * Places an order once, however often this is called with the same key.
   * @throws as `putProduct`
   */
  async placeOrder(order: NewOrder, idempotencyKey: string): Promise<PlacedOrder> {
    return (await this.request('POST', '/orders', order, { 'idempotency-key': idempotencyKey })) as PlacedOrder
  }

  /**
   * Requests the cancellation of an order once, however often this is called with the same key.
   * @returns false if the order has already ended
   * @throws as `putProduct`
   */
  async requestCancellation(orderId: string, reason: string, idempotencyKey: string): Promise<boolean> {
    const path = `/orders/${encodeURIComponent(orderId)}/cancellation`
    try {
      await this.request('POST', path, { reason }, { 'idempotency-key': idempotencyKey })
      return true
    } catch (error) {
      if (error instanceof Conflict && (await this.hasEnded(orderId))) return false
      throw error
    }
  }

  private async hasEnded(orderId: string): Promise<boolean> {
    const { endedAt } = (await this.request('GET', `/orders/${encodeURIComponent(orderId)}`)) as {
      endedAt: string | null
    }
    return endedAt !== null
  }

  private request(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<unknown> {
    return this.patience.execute(async () => {
      const token = await this.token()
      const timeout = AbortSignal.timeout(timeoutMs)
      const response = await fetch(`${this.url}${path}`, {
        method,
        body: body && JSON.stringify(body),
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        signal: this.signal ? AbortSignal.any([this.signal, timeout]) : timeout,
      }).catch((error: unknown) => this.giveUpOrRepeat(error, `${method} ${path}`))
      this.reached = true
      const text = await response.text()
      if (response.ok) return text === '' ? undefined : JSON.parse(text)
      if (response.status >= 500 || response.status === 429) {
        throw new TallyError('UNREACHABLE', `The orders API answers ${method} ${path} with status ${response.status}`)
      }
      if (isDenial(response.status)) throw denied('The orders API', response.status, 'TALLY_API_TOKEN')
      const refusal = `The orders API refuses ${path}: ${refusalOf(text)}`
      throw response.status === 409
        ? new Conflict('REFUSED_BY_API', refusal)
        : new TallyError('REFUSED_BY_API', refusal)
    }, this.signal)
  }

  private giveUpOrRepeat(error: unknown, request: string): never {
    this.signal?.throwIfAborted()
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    // Nothing listens: temporary while a replica restarts, but before the first answer the operator must fix it
    if (cause?.code === 'ECONNREFUSED' && !this.reached) throw error
    throw new TallyError('UNREACHABLE', `The orders API does not answer ${request}`, { cause: error })
  }
}

/** The request is valid, but the present state rules it out. */
class Conflict extends TallyError {}

/** The text of a problem+json body, field by field. */
function refusalOf(text: string): string {
  try {
    const { detail, errors = [] } = JSON.parse(text) as { detail: string; errors?: { path: string; message: string }[] }
    return [detail, ...errors.map(({ path, message }) => `${path} ${message}`)].join(' ')
  } catch {
    return text.slice(0, 200)
  }
}

/** An order as the API accepts it; the API sets ids, prices and times. */
export const newOrderOf = ({ customerId, currency, lines, shipTo }: EventData['OrderPlaced']): NewOrder => ({
  customerId,
  currency,
  lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
  shipTo,
})
