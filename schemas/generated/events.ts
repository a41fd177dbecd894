// Generated from schemas/avro, do not edit: npm run generate

/** The cancellation came too late: the order goes its way. */
export interface CancellationRefused {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** Code: already_shipping or already_ended */
  reason: string
  /** When it was decided, UTC epoch milliseconds */
  refusedAt: number
}

/** A customer wants an order cancelled. Shipping decides: FulfilmentCancelled or CancellationRefused. */
export interface CancellationRequested {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** Why, in the customer’s words */
  reason: string
  /** When the request was accepted, UTC epoch milliseconds */
  requestedAt: number
}

/** The order will not be delivered: holds and reservations are to be given back. */
export interface FulfilmentCancelled {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** Code: requested (by the customer), carrier_refused or timed_out */
  reason: string
  /** The reason in words, perhaps the customer’s */
  detail: string
  /** When it was decided, UTC epoch milliseconds */
  cancelledAt: number
}

/** A customer placed an order. Prices are final: what is captured later is totalMinor. */
export interface OrderPlaced {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** Id of the customer */
  customerId: string
  /** ISO 4217 code of every amount in this event */
  currency: string
  /** Articles ordered, at least one */
  lines: Array<OrderLine>
  /** Sum of the lines’ amountMinor, minor units of the currency */
  totalMinor: number
  /** Delivery address */
  shipTo: Address
  /** Token of the payment method at the gateway, never a card number; null: the one on file */
  paymentMethod?: string | null
  /** When the order was accepted, UTC epoch milliseconds */
  placedAt: number
}

/** One article of the order */
export interface OrderLine {
  /** Article; no two lines share one */
  sku: string
  /** Units ordered, at least 1 */
  quantity: number
  /** List price of one unit, minor units of the currency */
  unitPriceMinor: number
  /** Price of the line after discount, minor units of the currency */
  amountMinor: number
}

/** Where the parcel goes */
export interface Address {
  /** Name on the label */
  recipient: string
  /** Street and number */
  street: string
  /** Town */
  city: string
  /** Postal code, empty where the country has none */
  postalCode: string
  /** Country, as the customer wrote it */
  country: string
}

/** The gateway holds the amount for this order. */
export interface PaymentAuthorized {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** The gateway’s id of the hold */
  authorizationId: string
  /** Amount held, minor units of the currency */
  amountMinor: number
  /** ISO 4217 code of every amount in this event */
  currency: string
  /** When the gateway answered, UTC epoch milliseconds */
  authorizedAt: number
}

/** The held amount was taken: the order is completed. */
export interface PaymentCaptured {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** The gateway’s id of the capture */
  captureId: string
  /** The hold that was captured */
  authorizationId: string
  /** Amount taken, minor units of the currency */
  amountMinor: number
  /** ISO 4217 code of every amount in this event */
  currency: string
  /** When the gateway answered, UTC epoch milliseconds */
  capturedAt: number
}

/** The gateway refused to hold the amount: the order ends as rejected. */
export interface PaymentDeclined {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** The gateway’s reason code, such as insufficient_funds */
  reason: string
  /** When the gateway answered, UTC epoch milliseconds */
  declinedAt: number
}

/** The hold was given back, nothing was taken. */
export interface PaymentVoided {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** The hold that was given back */
  authorizationId: string
  /** When the gateway answered, UTC epoch milliseconds */
  voidedAt: number
}

/** A label was bought and a pickup agreed: the order will be delivered. */
export interface ShipmentScheduled {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** Carrier that takes the parcel */
  carrier: string
  /** The carrier’s tracking number */
  trackingNumber: string
  /** Where the label can be fetched */
  labelUrl: string
  /** Start of the pickup window, UTC epoch milliseconds */
  pickupFrom: number
  /** End of the pickup window, UTC epoch milliseconds */
  pickupUntil: number
  /** When the carrier answered, UTC epoch milliseconds */
  scheduledAt: number
}

/** At least one line cannot be delivered, so none was set aside: the order ends as rejected. */
export interface StockRejected {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** The lines that stock does not cover */
  shortages: Array<Shortage>
  /** When it was decided, UTC epoch milliseconds */
  rejectedAt: number
}

/** A line that stock does not cover */
export interface Shortage {
  /** Article */
  sku: string
  /** Units ordered */
  requested: number
  /** Units that could have been set aside */
  available: number
}

/** What was set aside for the order is on hand again. */
export interface StockReleased {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** What was given back */
  lines: Array<StockLine>
  /** When it was given back, UTC epoch milliseconds */
  releasedAt: number
}

/** A quantity of one article */
export interface StockLine {
  /** Article */
  sku: string
  /** Units, at least 1 */
  quantity: number
}

/** Units of an article arrived in the warehouse. The record’s key is the SKU. */
export interface StockReplenished {
  /** Article; the key of the record */
  sku: string
  /** Units that arrived, at least 1 */
  quantity: number
  /** When they arrived, UTC epoch milliseconds */
  replenishedAt: number
}

/** All lines of the order are set aside. */
export interface StockReserved {
  /** Id of the order; the key of the record, so that one order stays in one lane */
  orderId: string
  /** What was set aside */
  lines: Array<StockLine>
  /** When it was set aside, UTC epoch milliseconds */
  reservedAt: number
}

export interface EventData {
  CancellationRefused: CancellationRefused
  CancellationRequested: CancellationRequested
  FulfilmentCancelled: FulfilmentCancelled
  OrderPlaced: OrderPlaced
  PaymentAuthorized: PaymentAuthorized
  PaymentCaptured: PaymentCaptured
  PaymentDeclined: PaymentDeclined
  PaymentVoided: PaymentVoided
  ShipmentScheduled: ShipmentScheduled
  StockRejected: StockRejected
  StockReleased: StockReleased
  StockReplenished: StockReplenished
  StockReserved: StockReserved
}

export type EventType = keyof EventData

/** Full names of the records, as in a schema and in the header `ce_type`. */
export const eventFullNames: Record<EventType, string> = {
  CancellationRefused: 'tally.shipping.CancellationRefused',
  CancellationRequested: 'tally.orders.CancellationRequested',
  FulfilmentCancelled: 'tally.shipping.FulfilmentCancelled',
  OrderPlaced: 'tally.orders.OrderPlaced',
  PaymentAuthorized: 'tally.payments.PaymentAuthorized',
  PaymentCaptured: 'tally.payments.PaymentCaptured',
  PaymentDeclined: 'tally.payments.PaymentDeclined',
  PaymentVoided: 'tally.payments.PaymentVoided',
  ShipmentScheduled: 'tally.shipping.ShipmentScheduled',
  StockRejected: 'tally.inventory.StockRejected',
  StockReleased: 'tally.inventory.StockReleased',
  StockReplenished: 'tally.stock.StockReplenished',
  StockReserved: 'tally.inventory.StockReserved',
}
