import type { NewOrder } from '../../../orders-api/http/contract.ts'
import type { Basket } from '../model/basket.ts'
import { Stored } from '../model/stored.ts'
import { ask, isDefinite, problemOf } from './ask.ts'
import type { Problem } from './ask.ts'
import { randomId, session } from './session.ts'

/** An order as this browser placed it. */
export interface KnownOrder {
  readonly orderId: string
  readonly placedAt: string
  readonly currency: string
  /** Minor units, text. */
  readonly totalMinor: string
  readonly basket: Basket
}

/** An order that was sent and has no answer yet. The key makes sending it again safe, also after a reload. */
export interface Attempt {
  readonly key: string
  readonly order: NewOrder
}

export const basket = new Stored<Basket>('basket', {}, () => localStorage)
/** The newest first. */
export const knownOrders = new Stored<readonly KnownOrder[]>('orders', [], () => localStorage)
export const attempt = new Stored<Attempt | null>('attempt', null, () => sessionStorage)
/** The delivery address of the last order. */
export const address = new Stored<NewOrder['shipTo'] | null>('address', null, () => localStorage)

const remembered = 50

/**
 * - placed  the API has the order - refused  it has not, and will not by this attempt - unanswered  nobody knows: send
 * the same again
 */
export type Outcome =
  | { readonly kind: 'placed'; readonly order: KnownOrder }
  | { readonly kind: 'refused' | 'unanswered'; readonly problem: Problem }

/** Notes what will be sent, before it is. An attempt that has no answer yet stays as it is. */
export function prepare(order: Omit<NewOrder, 'customerId'>): Attempt {
  const open = attempt.get()
  if (open) return open
  const made = { key: randomId(), order: { customerId: session.customerId(), ...order } }
  attempt.set(made)
  address.set(order.shipTo)
  return made
}

let sending: Promise<Outcome> | undefined

/** Sends the open attempt. Whoever asks while it is on its way gets the same answer. */
export const sendAttempt = (open: Attempt): Promise<Outcome> =>
  (sending ??= place(open).finally(() => (sending = undefined)))

async function place({ key, order }: Attempt): Promise<Outcome> {
  try {
    const answer = await ask<Omit<KnownOrder, 'basket'>>('/orders', {
      ...{ method: 'POST', body: order, headers: { 'idempotency-key': key } },
    })
    const { orderId, placedAt, currency, totalMinor } = answer
    const ordered = Object.fromEntries(order.lines.map(({ sku, quantity }) => [sku, quantity]))
    const known = { orderId, placedAt, currency, totalMinor, basket: ordered }
    knownOrders.set([known, ...knownOrders.get().filter((other) => other.orderId !== orderId)].slice(0, remembered))
    basket.set(without(basket.get(), ordered))
    attempt.clear()
    return { kind: 'placed', order: known }
  } catch (error) {
    const problem = problemOf(error)
    if (!isDefinite(problem)) return { kind: 'unanswered', problem }
    attempt.clear()
    return { kind: 'refused', problem }
  }
}

/** What was put into the basket since stays there. */
const without = (all: Basket, ordered: Basket): Basket =>
  Object.fromEntries(
    Object.entries(all).flatMap(([sku, quantity]) => {
      const left = quantity - (ordered[sku] ?? 0)
      return left > 0 ? [[sku, left]] : []
    }),
  )
