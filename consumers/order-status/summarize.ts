import type { Emitted } from '../runtime/handler.ts'

/** Every event that concerns one order. */
export type OrderEvent = Extract<Emitted, { data: { orderId: string } }>

/** One readable line. Names, addresses and the customer's own words are left out, because many people see timelines. */
export function summarize({ type, data }: OrderEvent): string {
  switch (type) {
    case 'OrderPlaced':
      return `${counted(data.lines.length, 'article')}, ${counted(unitsOf(data.lines), 'unit')}`
    case 'CancellationRequested':
      return 'the customer asked to cancel'
    case 'PaymentAuthorized':
      return `the gateway holds the amount (${data.authorizationId})`
    case 'PaymentDeclined':
      return `the gateway declined: ${data.reason}`
    case 'PaymentVoided':
      return `the hold was voided (${data.authorizationId})`
    case 'PaymentCaptured':
      return `the amount was captured (${data.captureId})`
    case 'StockReserved':
      return `${counted(unitsOf(data.lines), 'unit')} set aside`
    case 'StockRejected':
      return `not enough of ${data.shortages.map(({ sku, requested, available }) => `${sku} (${available} of ${requested})`).join(', ')}`
    case 'StockReleased':
      return `${counted(unitsOf(data.lines), 'unit')} on hand again`
    case 'ShipmentScheduled':
      return `${data.carrier} picks it up, tracking number ${data.trackingNumber}`
    case 'FulfilmentCancelled':
      // If the customer requested it, the detail holds the customer's words
      return `will not be delivered: ${data.reason}${data.reason === 'timed_out' ? ` (${data.detail})` : ''}`
    case 'CancellationRefused':
      return `too late to cancel: ${data.reason}`
  }
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

const unitsOf = (lines: readonly { quantity: number }[]) => lines.reduce((units, { quantity }) => units + quantity, 0)
