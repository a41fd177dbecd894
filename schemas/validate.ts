import type { EventData, EventType } from './generated/events.ts'
import { isSealed } from '../infra/security/sealed-text.ts'
import { isPlausibleTime } from './time.ts'

/** Limits of the fields of events, for all producers. */
export const limits = {
  idLength: 128,
  textLength: 2_000,
  /** Of a text of that length that is sealed. */
  sealedLength: 8_192,
  lines: 1_000,
  quantity: 1_000_000,
} as const

/** What is wrong, with the name of the field; undefined if nothing is. */
type Fault = string | undefined
type Check<T> = (data: T) => Fault

/**
 * Checks an event against the rules of its domain. A record may decode without being a valid event: avsc reads about a third
 * of the records with one flipped bit.
 * @returns what is wrong, in words; undefined if nothing is
 */
export function findFault<T extends EventType>(type: T, data: EventData[T]): Fault {
  return checks[type](data)
}

/** Whether an event may hold this as an id. */
export const isId = (value: string): boolean => id('', value) === undefined

/** Whether an event may hold this text. */
export const isText = (value: string): boolean => text('', value) === undefined

const checks: { readonly [T in EventType]: Check<EventData[T]> } = {
  OrderPlaced: (order) =>
    id('orderId', order.orderId) ??
    id('customerId', order.customerId) ??
    currency(order.currency) ??
    orderLines(order) ??
    address(order.shipTo) ??
    (typeof order.paymentMethod === 'string' ? id('paymentMethod', order.paymentMethod) : undefined) ??
    time('placedAt', order.placedAt),
  CancellationRequested: (event) =>
    id('orderId', event.orderId) ?? personal('reason', event.reason) ?? time('requestedAt', event.requestedAt),
  PaymentAuthorized: (event) =>
    id('orderId', event.orderId) ??
    id('authorizationId', event.authorizationId) ??
    amount('amountMinor', event.amountMinor) ??
    currency(event.currency) ??
    time('authorizedAt', event.authorizedAt),
  PaymentDeclined: (event) =>
    id('orderId', event.orderId) ?? text('reason', event.reason) ?? time('declinedAt', event.declinedAt),
  PaymentVoided: (event) =>
    id('orderId', event.orderId) ?? id('authorizationId', event.authorizationId) ?? time('voidedAt', event.voidedAt),
  PaymentCaptured: (event) =>
    id('orderId', event.orderId) ??
    id('captureId', event.captureId) ??
    id('authorizationId', event.authorizationId) ??
    amount('amountMinor', event.amountMinor) ??
    currency(event.currency) ??
    time('capturedAt', event.capturedAt),
  StockReserved: (event) =>
    id('orderId', event.orderId) ?? stockLines(event.lines) ?? time('reservedAt', event.reservedAt),
  StockReleased: (event) =>
    id('orderId', event.orderId) ?? stockLines(event.lines) ?? time('releasedAt', event.releasedAt),
  StockRejected: (event) =>
    id('orderId', event.orderId) ??
    each(
      'shortages',
      event.shortages,
      ({ requested, available }) => quantity('requested', requested) ?? amount('available', available),
    ) ??
    time('rejectedAt', event.rejectedAt),
  StockReplenished: (event) =>
    id('sku', event.sku) ?? quantity('quantity', event.quantity) ?? time('replenishedAt', event.replenishedAt),
  ShipmentScheduled: (event) =>
    id('orderId', event.orderId) ??
    id('carrier', event.carrier) ??
    id('trackingNumber', event.trackingNumber) ??
    text('labelUrl', event.labelUrl) ??
    time('pickupFrom', event.pickupFrom) ??
    time('pickupUntil', event.pickupUntil) ??
    (event.pickupFrom > event.pickupUntil ? 'pickupUntil is before pickupFrom' : undefined) ??
    time('scheduledAt', event.scheduledAt),
  FulfilmentCancelled: (event) =>
    id('orderId', event.orderId) ??
    text('reason', event.reason) ??
    personal('detail', event.detail) ??
    time('cancelledAt', event.cancelledAt),
  CancellationRefused: (event) =>
    id('orderId', event.orderId) ?? text('reason', event.reason) ?? time('refusedAt', event.refusedAt),
}

function orderLines({ lines, totalMinor }: EventData['OrderPlaced']): Fault {
  if (lines.length === 0) return 'lines is empty'
  const fault = each(
    'lines',
    lines,
    (line) =>
      quantity('quantity', line.quantity) ??
      amount('unitPriceMinor', line.unitPriceMinor) ??
      amount('amountMinor', line.amountMinor),
  )
  if (fault !== undefined) return fault
  const sum = lines.reduce((total, line) => total + line.amountMinor, 0)
  return sum === totalMinor ? undefined : `totalMinor is ${totalMinor}, the lines sum up to ${sum}`
}

const address = ({ recipient, street, city, postalCode, country }: EventData['OrderPlaced']['shipTo']): Fault =>
  personal('shipTo.recipient', recipient) ??
  personal('shipTo.street', street) ??
  personal('shipTo.city', city) ??
  personal('shipTo.postalCode', postalCode) ??
  text('shipTo.country', country)

const stockLines = (lines: EventData['StockReserved']['lines']): Fault =>
  each('lines', lines, (line) => quantity('quantity', line.quantity))

/** Checks a list of articles: its length, duplicates, and each article. */
function each<Line extends { sku: string }>(name: string, lines: readonly Line[], check: Check<Line>): Fault {
  if (lines.length > limits.lines) return `${name} has ${lines.length} entries, at most ${limits.lines} are allowed`
  const skus = new Set<string>()
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const fault = id('sku', line.sku) ?? check(line)
    if (fault !== undefined) return `${name}[${i}].${fault}`
    if (skus.has(line.sku)) return `${name}[${i}].sku occurs twice`
    skus.add(line.sku)
  }
}

function id(name: string, value: string): Fault {
  if (value === '') return `${name} is empty`
  return value.length > limits.idLength ? `${name} is longer than ${limits.idLength} characters` : text(name, value)
}

function text(name: string, value: string): Fault {
  if (value.length > limits.textLength) return `${name} is longer than ${limits.textLength} characters`
  if (value.includes('\0') || !value.isWellFormed()) return `${name} holds characters that cannot be stored`
}

/** A sealed text is longer than what it says. */
const personal = (name: string, value: string): Fault =>
  isSealed(value) && value.length <= limits.sealedLength ? undefined : text(name, value)

const quantity = (name: string, value: number): Fault =>
  value >= 1 && value <= limits.quantity ? undefined : `${name} is ${value}, allowed are 1 to ${limits.quantity}`

const amount = (name: string, value: number): Fault => (value >= 0 ? undefined : `${name} is negative: ${value}`)

const currency = (value: string): Fault =>
  /^[A-Z]{3}$/.test(value) ? undefined : 'currency is not an ISO 4217 code of three capital letters'

const time = (name: string, value: number): Fault =>
  isPlausibleTime(value) ? undefined : `${name} is not a time in epoch milliseconds: ${value}`
