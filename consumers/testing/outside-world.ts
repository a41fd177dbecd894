import type { AuthorizationAnswer, AuthorizationRequest, CaptureAnswer, VoidAnswer } from '../payment/gateway.ts'
import type { ShipmentAnswer, ShipmentRequest } from '../shipping/carrier.ts'
import { booking } from './events.ts'
import { now } from './in-memory.ts'

/** The answers of gateway and carrier about an order. */
export interface Fate {
  readonly declined: boolean
  readonly refused: boolean
}

interface Hold {
  readonly orderId: string
  readonly amountMinor: number
  state: 'held' | 'voided' | 'captured'
}

/** Gateway and carrier in memory: every key has one answer, however often it is asked. */
export function createOutsideWorld(fateOf: (orderId: string) => Fate) {
  const answers = new Map<string, object>()
  const holds = new Map<string, Hold>()
  const shipments: string[] = []

  const settle = <Answer>(authorizationId: string, state: 'voided' | 'captured', answer: Answer) => {
    const hold = holds.get(authorizationId)
    if (!hold) return { outcome: 'contradicted', code: 'unknown_authorization' } as const
    if (hold.state !== 'held') return { outcome: 'contradicted', code: `already_${hold.state}` as const } as const
    hold.state = state
    return answer
  }
  const kinds = {
    authorize({ orderId, amountMinor }: AuthorizationRequest): AuthorizationAnswer {
      if (fateOf(orderId).declined) return { outcome: 'declined', code: 'insufficient_funds', declinedAt: now }
      const authorizationId = `auth-${holds.size}`
      holds.set(authorizationId, { orderId, amountMinor, state: 'held' })
      return { outcome: 'authorized', authorizationId, authorizedAt: now }
    },
    void: ({ authorizationId }: { authorizationId: string }) =>
      settle<VoidAnswer>(authorizationId, 'voided', { outcome: 'voided', voidedAt: now }),
    capture: ({ authorizationId }: { authorizationId: string }) =>
      settle<CaptureAnswer>(authorizationId, 'captured', {
        outcome: 'captured',
        captureId: `capt-${authorizationId}`,
        capturedAt: now,
      }),
    schedule({ orderId }: ShipmentRequest): ShipmentAnswer {
      if (fateOf(orderId).refused)
        return { outcome: 'refused', code: 'undeliverable_address', detail: '', refusedAt: now }
      shipments.push(orderId)
      return { outcome: 'scheduled', ...booking }
    },
  }
  return {
    /** All holds ever made. */
    holds: () => [...holds.values()] as readonly Readonly<Hold>[],
    /** Orders a label was sold for. */
    shipments: () => shipments as readonly string[],
    /** Answers about contradictions. */
    contradictions: () =>
      [...answers.values()].filter((answer) => 'outcome' in answer && answer.outcome === 'contradicted'),
    call(key: string, kind: string, request: object): object {
      const answer = answers.get(key) ?? kinds[kind as keyof typeof kinds](request as never)
      answers.set(key, answer)
      return answer
    },
  }
}
