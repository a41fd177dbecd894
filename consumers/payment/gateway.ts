import { z } from 'zod'
import { idField, textField, timeField } from '../../schemas/answer-fields.ts'
import { createJsonClient } from '../../infra/json-client.ts'
import type { CallOptions } from '../../infra/json-client.ts'

export interface AuthorizationRequest {
  orderId: string
  amountMinor: number
  currency: string
  /** Token of the customer's payment method. @default the one on file */
  paymentMethod?: string
}
export interface VoidRequest {
  authorizationId: string
}
export interface CaptureRequest {
  authorizationId: string
  amountMinor: number
}

/** The gateway says that the request contradicts its records: one side has lost track. */
const contradicted = z
  .object({
    code: z.enum([
      'invalid_request',
      'idempotency_key_reused',
      'unknown_authorization',
      'already_voided',
      'already_captured',
      'amount_differs',
    ]),
  })
  .transform(({ code }) => ({ outcome: 'contradicted' as const, code }))
const contradictions = { 400: contradicted, 404: contradicted, 409: contradicted, 422: contradicted }

const authorized = z
  .object({ authorizationId: idField, authorizedAt: timeField })
  .transform((answer) => ({ outcome: 'authorized' as const, ...answer }))
const declined = z
  .object({ code: textField, declinedAt: timeField })
  .transform((answer) => ({ outcome: 'declined' as const, ...answer }))
const voided = z.object({ voidedAt: timeField }).transform((answer) => ({ outcome: 'voided' as const, ...answer }))
const captured = z
  .object({ captureId: idField, capturedAt: timeField })
  .transform((answer) => ({ outcome: 'captured' as const, ...answer }))

type Contradicted = z.infer<typeof contradicted>
export type AuthorizationAnswer = z.infer<typeof authorized> | z.infer<typeof declined> | Contradicted
export type VoidAnswer = z.infer<typeof voided> | Contradicted
export type CaptureAnswer = z.infer<typeof captured> | Contradicted

/**
 * The payment gateway. Each call resolves with a definite answer, which may be a refusal.
 * @throws TallyError UNREACHABLE when the outcome is unknown: retry with the same key; DENIED
 */
export interface Gateway {
  readonly authorize: (request: AuthorizationRequest, options: CallOptions) => Promise<AuthorizationAnswer>
  readonly void: (request: VoidRequest, options: CallOptions) => Promise<VoidAnswer>
  readonly capture: (request: CaptureRequest, options: CallOptions) => Promise<CaptureAnswer>
}

export function createGateway({ url, timeoutMs }: { url: string; timeoutMs?: number }): Gateway {
  const client = createJsonClient({ name: 'payment gateway', url, setting: 'TALLY_GATEWAY_URL', timeoutMs })
  const hold = ({ authorizationId }: VoidRequest) => `/authorizations/${encodeURIComponent(authorizationId)}`
  return {
    authorize: (request, options) =>
      client.post<AuthorizationAnswer>(
        '/authorizations',
        request,
        { 201: authorized, 402: declined, ...contradictions },
        options,
      ),
    void: (request, options) =>
      client.post<VoidAnswer>(`${hold(request)}/void`, {}, { 200: voided, ...contradictions }, options),
    capture: ({ amountMinor, ...request }, options) =>
      client.post<CaptureAnswer>(
        `${hold(request)}/capture`,
        { amountMinor },
        { 201: captured, ...contradictions },
        options,
      ),
  }
}
