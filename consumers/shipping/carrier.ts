import { z } from 'zod'
import { idField, textField, timeField } from '../../schemas/answer-fields.ts'
import { createJsonClient } from '../../infra/json-client.ts'
import type { CallOptions } from '../../infra/json-client.ts'
import type { Address } from '../../schemas/generated/events.ts'
import { isText, limits } from '../../schemas/validate.ts'

export interface ShipmentRequest {
  orderId: string
  shipTo: Address
  /** Units of all articles together. */
  units: number
}

const scheduled = z
  .object({
    carrier: idField,
    trackingNumber: idField,
    labelUrl: z.url({ protocol: /^https?$/ }).max(limits.textLength),
    pickupFrom: timeField,
    pickupUntil: timeField,
    scheduledAt: timeField,
  })
  .refine(({ pickupFrom, pickupUntil }) => pickupFrom <= pickupUntil, 'the pickup ends before it begins')
  .transform((answer) => ({ outcome: 'scheduled' as const, ...answer }))
const refused = z
  .object({
    code: textField,
    detail: z.string().refine(isText, 'not a text that can be stored').default(''),
    refusedAt: timeField,
  })
  .transform((answer) => ({ outcome: 'refused' as const, ...answer }))
/** The carrier says that the request contradicts its records: one side has lost track. */
const contradicted = z
  .object({ code: z.enum(['invalid_request', 'idempotency_key_reused']) })
  .transform(({ code }) => ({ outcome: 'contradicted' as const, code }))

export type ShipmentAnswer = z.infer<typeof scheduled> | z.infer<typeof refused> | z.infer<typeof contradicted>

/**
 * The carrier: sells a label and agrees a pickup. Resolves with a definite answer, which may be a refusal.
 * @throws TallyError UNREACHABLE when the outcome is unknown: retry with the same key; DENIED
 */
export interface Carrier {
  readonly schedule: (request: ShipmentRequest, options: CallOptions) => Promise<ShipmentAnswer>
}

export function createCarrier({ url, timeoutMs }: { url: string; timeoutMs?: number }): Carrier {
  const client = createJsonClient({ name: 'carrier', url, setting: 'TALLY_CARRIER_URL', timeoutMs })
  return {
    schedule: (request, options) =>
      client.post<ShipmentAnswer>(
        '/shipments',
        request,
        { 201: scheduled, 400: contradicted, 409: contradicted, 422: refused },
        options,
      ),
  }
}
