import { createInterface } from 'node:readline/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { TallyError } from '../../infra/errors.ts'
import { readAddress } from '../../infra/server-address.ts'

/** An authorization according to the gateway's own journal. */
export interface JournalHold {
  orderId: string
  amountMinor: number
  currency: string
  voided: boolean
  /** Ids of captures; more than one means that the card was charged twice. */
  captureIds: string[]
}

/** Holds by authorization id. */
export type GatewayJournal = ReadonlyMap<string, JournalHold>

/** A line of the journal: the answer to one idempotency key. Refusals (status 400 and above) moved no money. */
interface JournalLine {
  status: number
  about: { operation: string; authorizationId: string; orderId: string; amountMinor: number; currency: string }
  answer: { captureId?: string }
}

/**
 * Reads the gateway's journal.
 * @returns undefined if this gateway publishes none
 * @throws TallyError UNREACHABLE
 */
export async function readJournal(gatewayUrl: string, signal?: AbortSignal): Promise<GatewayJournal | undefined> {
  const { url, headers } = readAddress(gatewayUrl)
  const response = await fetch(new URL('/journal', url), { headers, signal }).catch((cause: unknown) => {
    throw new TallyError('UNREACHABLE', `The payment gateway does not answer at ${url}`, { cause })
  })
  if (response.status === 404 || response.status === 501) return undefined
  if (!response.ok || !response.body)
    throw new TallyError('UNREACHABLE', `The payment gateway answers ${response.status} at ${url}/journal`)
  const lines = createInterface({ input: Readable.fromWeb(response.body as ReadableStream) })
  return addUp(lines)
}

async function addUp(lines: AsyncIterable<string>): Promise<GatewayJournal> {
  const holds = new Map<string, JournalHold>()
  for await (const line of lines) {
    const { status, about, answer } = JSON.parse(line) as JournalLine
    if (status >= 400) continue
    const { operation, authorizationId, orderId, amountMinor, currency } = about
    const hold = holds.get(authorizationId) ?? { orderId, amountMinor, currency, voided: false, captureIds: [] }
    holds.set(authorizationId, hold)
    if (operation === 'void') hold.voided = true
    if (operation === 'capture') hold.captureIds.push(answer.captureId ?? '')
  }
  return holds
}
