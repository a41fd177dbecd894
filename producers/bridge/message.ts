import type { Reply } from '../orders-api/http/reply.ts'

/** A message as a queue delivers it, free of the protocol. */
export interface QueueMessage {
  /** By which a repeat is recognized. Undefined if the message has none. */
  readonly id: string | undefined
  readonly body: Buffer
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  /** W3C trace context of the sender, passed on to the event. */
  readonly traceparent?: string | undefined
  /** How often it has been delivered, this time included; infinity if the queue only says that it has been before. */
  readonly deliveries: number
  /** Messages of a group take effect in the order in which they were delivered. @default those of a customer do */
  readonly group?: string | undefined
}

/**
 * What became of a message. `placed`: its order is committed, now or earlier: acknowledge it. `refused`: it can never be
 * an order: hand it to the dead-letter target with the problem, then acknowledge it.
 */
export type Outcome =
  | { readonly kind: 'placed'; readonly orderId: string }
  | { readonly kind: 'refused'; readonly problem: Reply }
