import { z } from 'zod'
import type { Entry, Outcome } from './answer-book.ts'
import { createChance } from './chance.ts'
import { operation, startSimulator } from './simulator.ts'
import type { RunningSimulator, SimulatorOptions } from './simulator.ts'

const amountMinor = z.int().nonnegative()
const authorization = z.object({
  orderId: z.string().min(1),
  amountMinor,
  currency: z.string().regex(/^[A-Z]{3}$/),
  paymentMethod: z.string().min(1).optional(),
})
const capture = z.object({ amountMinor })

/** Payment methods for trying out, by what becomes of an authorization. Others are declined by chance. */
const testCards: Readonly<Record<string, 'accept' | 'decline'>> = {
  card_test_accepted: 'accept',
  card_test_declined: 'decline',
}

const declineCodes = ['insufficient_funds', 'card_expired', 'suspected_fraud'] as const

/** An amount held for an order until it is captured or voided. */
interface Hold extends z.infer<typeof authorization> {
  state: 'held' | 'voided' | 'captured'
}

/** The subject of a journal entry: verifiers sum these up. */
type Facts = {
  operation: 'authorize' | 'void' | 'capture'
  authorizationId?: string
  orderId?: string
  amountMinor?: number
  currency?: string
}

/**
 * The payment gateway: authorizes, voids and captures, each once. Declines `declineRate` of the authorizations, except
 * those of a test card.
 */
export function startGateway(options: SimulatorOptions & { declineRate: number }): Promise<RunningSimulator> {
  const chance = createChance(options.seed)
  const holds = new Map<string, Hold>()

  const decline = (key: string, paymentMethod = '') => {
    const card = testCards[paymentMethod]
    if (card === 'accept') return undefined
    if (card === 'decline') return 'insufficient_funds'
    if (chance.uniform(key, 'decline') >= options.declineRate) return undefined
    return declineCodes[Math.floor(chance.uniform(key, 'decline-code') * declineCodes.length)]
  }

  /** Voids or captures a hold; refused unless the hold exists and is still open. */
  const settle = (
    operation: 'void' | 'capture',
    id: string,
    answer: (hold: Hold) => Pick<Outcome, 'status' | 'answer'>,
  ): Outcome => {
    const hold = holds.get(id)
    const asked = { operation, authorizationId: id }
    if (!hold) return { about: asked, status: 404, answer: { code: 'unknown_authorization' } }
    const { state, ...held } = hold
    const about = { ...asked, ...held }
    return { about, ...(state === 'held' ? answer(hold) : { status: 409, answer: { code: `already_${state}` } }) }
  }

  return startSimulator(
    {
      name: 'gateway',
      operations: [
        operation('/authorizations', authorization, (request, { key, time }) => {
          const code = decline(key, request.paymentMethod)
          const about = { operation: 'authorize', ...request }
          if (code) return { about, status: 402, answer: { code, declinedAt: time } }
          const authorizationId = chance.id('auth', key)
          return { about: { ...about, authorizationId }, status: 201, answer: { authorizationId, authorizedAt: time } }
        }),
        operation('/authorizations/:id/void', z.object({}), (_request, { id, time }) =>
          settle('void', id, () => ({ status: 200, answer: { voidedAt: time } })),
        ),
        operation('/authorizations/:id/capture', capture, (request, { id, key, time }) =>
          settle('capture', id, (hold) =>
            request.amountMinor === hold.amountMinor
              ? { status: 201, answer: { captureId: chance.id('capt', key), capturedAt: time } }
              : { status: 422, answer: { code: 'amount_differs' } },
          ),
        ),
      ],
      apply({ about, status }: Entry) {
        if (status >= 400) return
        const { operation, authorizationId, orderId, amountMinor, currency } = about as Required<Facts>
        const state = ({ authorize: 'held', void: 'voided', capture: 'captured' } as const)[operation]
        holds.set(authorizationId, { orderId, amountMinor, currency, state })
      },
    },
    options,
  )
}
