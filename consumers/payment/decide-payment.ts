import { TallyError } from '../../infra/errors.ts'
import type { EventData } from '../../schemas/generated/events.ts'
import type { Context, Decision } from '../runtime/handler.ts'
import type { AuthorizationAnswer, CaptureAnswer, CaptureRequest, VoidAnswer } from './gateway.ts'

/** The amount that the gateway holds or held for the order. */
export interface Hold {
  readonly authorizationId: string
  readonly amountMinor: number
  readonly currency: string
}

/** What the other services require for the hold. `open`: not known yet. */
export type Verdict = 'open' | 'void' | 'capture'

/** The payment of one order. */
export type Payment =
  | { readonly phase: 'unplaced'; readonly verdict: 'open' | 'capture' } // The order has not been seen
  | { readonly phase: 'closed' } // Ended before it was seen: never authorize it
  | ({ readonly phase: 'authorizing'; readonly verdict: Verdict } & Omit<Hold, 'authorizationId'>)
  | { readonly phase: 'declined' }
  | ({ readonly phase: 'authorized' | 'voiding' | 'voided' | 'capturing' | 'captured' } & Hold)

export const unplaced: Payment = { phase: 'unplaced', verdict: 'open' }

export function orderPlaced(order: EventData['OrderPlaced'], payment: Payment): Decision<Payment> {
  if (payment.phase !== 'unplaced') return {}
  const { orderId, totalMinor: amountMinor, currency, paymentMethod } = order
  return {
    state: { phase: 'authorizing', verdict: payment.verdict, amountMinor, currency },
    calls: [
      {
        kind: 'authorize',
        request: { orderId, amountMinor, currency, ...(paymentMethod && { paymentMethod }) },
      },
    ],
  }
}

/** StockRejected or FulfilmentCancelled: no money may be held or captured. */
export function orderEnded(_event: unknown, payment: Payment): Decision<Payment> {
  switch (payment.phase) {
    case 'unplaced':
      if (payment.verdict === 'capture') throw contradiction(payment, 'an end')
      return { state: { phase: 'closed' } }
    case 'authorizing':
      if (payment.verdict === 'capture') throw contradiction(payment, 'an end')
      return { state: { ...payment, verdict: 'void' } }
    case 'authorized':
      return settle(payment, 'void')
    case 'closed':
    case 'declined':
    case 'voiding':
    case 'voided':
      return {}
    case 'capturing':
    case 'captured':
      throw contradiction(payment, 'an end')
  }
}

/** The goods are shipped: capture the payment. */
export function shipmentScheduled(_event: unknown, payment: Payment): Decision<Payment> {
  switch (payment.phase) {
    case 'unplaced':
      return { state: { ...payment, verdict: 'capture' } }
    case 'authorizing':
      if (payment.verdict === 'void') throw contradiction(payment, 'a shipment')
      return { state: { ...payment, verdict: 'capture' } }
    case 'authorized':
      return settle(payment, 'capture')
    case 'capturing':
    case 'captured':
      return {}
    case 'closed':
    case 'declined':
    case 'voiding':
    case 'voided':
      throw contradiction(payment, 'a shipment')
  }
}

export function authorizationAnswered(
  answer: AuthorizationAnswer,
  payment: Payment,
  { key: orderId }: Context,
): Decision<Payment> {
  if (payment.phase !== 'authorizing') return {} // An answer counts once
  const { verdict, amountMinor, currency } = payment
  switch (answer.outcome) {
    case 'authorized': {
      const { authorizationId, authorizedAt } = answer
      const hold = { authorizationId, amountMinor, currency }
      return {
        ...settle(hold, verdict),
        events: [{ type: 'PaymentAuthorized', data: { orderId, ...hold, authorizedAt } }],
      }
    }
    case 'declined': {
      if (verdict === 'capture') throw contradiction(payment, 'a decline')
      const { code: reason, declinedAt } = answer
      return {
        state: { phase: 'declined' },
        events: [{ type: 'PaymentDeclined', data: { orderId, reason, declinedAt } }],
      }
    }
    case 'contradicted':
      throw contradiction(payment, answer.code)
  }
}

export function voidAnswered(answer: VoidAnswer, payment: Payment, { key: orderId }: Context): Decision<Payment> {
  if (payment.phase !== 'voiding') return {}
  if (answer.outcome === 'contradicted') throw contradiction(payment, answer.code)
  const { authorizationId } = payment
  return {
    state: { ...payment, phase: 'voided' },
    events: [{ type: 'PaymentVoided', data: { orderId, authorizationId, voidedAt: answer.voidedAt } }],
  }
}

export function captureAnswered(answer: CaptureAnswer, payment: Payment, { key: orderId }: Context): Decision<Payment> {
  if (payment.phase !== 'capturing') return {}
  if (answer.outcome === 'contradicted') throw contradiction(payment, answer.code)
  const { phase: _, ...hold } = payment
  const { captureId, capturedAt } = answer
  return {
    state: { ...payment, phase: 'captured' },
    events: [{ type: 'PaymentCaptured', data: { orderId, captureId, ...hold, capturedAt } }],
  }
}

/** Captures or voids the hold as the verdict says, or waits for a verdict. */
function settle({ authorizationId, amountMinor, currency }: Hold, verdict: Verdict): Decision<Payment> {
  const hold = { authorizationId, amountMinor, currency }
  switch (verdict) {
    case 'open':
      return { state: { phase: 'authorized', ...hold } }
    case 'void':
      return { state: { phase: 'voiding', ...hold }, calls: [{ kind: 'void', request: { authorizationId } }] }
    case 'capture': {
      const request: CaptureRequest = { authorizationId, amountMinor }
      return { state: { phase: 'capturing', ...hold }, calls: [{ kind: 'capture', request }] }
    }
  }
}

/** A contract was broken: the event is parked for an operator before any money moves. */
const contradiction = ({ phase }: Payment, event: string) =>
  new TallyError('INVARIANT', `The payment is ${phase} and meets ${event}`)
