import type { OrderStatus, TimelineEntry } from '../../../orders-api/http/contract.ts'

/** The steps of an order that goes well. */
export const steps = ['placed', 'paid', 'reserved', 'shipped', 'completed'] as const
export type Step = (typeof steps)[number]

const reachedBy: Readonly<Record<string, Step>> = {
  OrderPlaced: 'placed',
  PaymentAuthorized: 'paid',
  StockReserved: 'reserved',
  ShipmentScheduled: 'shipped',
  PaymentCaptured: 'completed',
}

export interface Progress {
  readonly step: Step
  /** - done - next  what is waited for - open - off  it will not come any more */
  readonly state: 'done' | 'next' | 'open' | 'off'
}

/** How far an order is, from what has happened; events may arrive in any order. */
export function progressOf(
  status: OrderStatus['status'],
  timeline: readonly Pick<TimelineEntry, 'type'>[],
): Progress[] {
  const reached = new Set<Step>(['placed'])
  for (const { type } of timeline) {
    const step = reachedBy[type]
    if (step) reached.add(step)
  }
  const isOff = status === 'cancelled' || status === 'rejected'
  const next = steps.find((step) => !reached.has(step))
  return steps.map((step) => ({
    step,
    state: reached.has(step) ? 'done' : isOff ? 'off' : step === next ? 'next' : 'open',
  }))
}

/** Whether a customer may still ask to cancel; whether it is in time is decided by shipping. */
export const canCancel = (status: OrderStatus, timeline: readonly Pick<TimelineEntry, 'type'>[]): boolean =>
  status.endedAt === null &&
  !timeline.some(({ type }) => type === 'CancellationRequested' || type === 'ShipmentScheduled')
