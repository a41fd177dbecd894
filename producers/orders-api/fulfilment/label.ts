import { Agent, request } from 'undici'
import { z } from 'zod'
import { TallyError } from '../../../infra/errors.ts'
import { readAddress } from '../../../infra/server-address.ts'
import { path } from '../http/contract.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import { problem } from '../http/reply.ts'
import { findKnown } from '../orders/find-known.ts'
import type { OrderReader } from '../orders/order-reader.ts'
import { noSuchOrder } from '../orders/write-orders.ts'

/** Bytes. */
const maxLabelSize = 256 * 1024
const timeoutMs = 5_000
const mediaTypes = ['image/svg+xml', 'image/png', 'application/pdf']
const agent = new Agent({ connections: 16, maxResponseSize: maxLabelSize })

export interface LabelDeps {
  reader: Pick<OrderReader, 'find' | 'customerOf' | 'labelUrl'>
  /** The carrier's address; may name a user. */
  carrierUrl: string
}

/** The label, fetched from the carrier for a customer who cannot reach it. */
export const labelOperations = ({ reader, carrierUrl }: LabelDeps): Operation[] => [
  operation({
    method: 'get',
    access: ['orders:own', 'orders:any'],
    path: '/orders/{id}/label',
    id: 'getLabel',
    summary: 'Get the shipping label of an order',
    request: { path: path.orderId },
    answers: {
      200: { description: 'The label as the carrier made it', mediaType: 'image/svg+xml', body: z.string() },
      404: { description: 'No such order, or it has no label yet' },
      502: { description: 'The carrier has no such label, or not at its own address' },
      503: { description: 'The carrier does not answer' },
    },
    handle: async ({ path: { id } }, caller, response) => {
      if (!(await findKnown(reader, id, caller))) return noSuchOrder(id)
      const url = await reader.labelUrl(id)
      if (url === undefined) return problem(404, `Order ${id} has no label yet.`)
      const label = await fetchLabel(url, carrierUrl)
      if (!label) return problem(502, 'The carrier does not have this label.')
      // An image that a browser opens as a page must not act as one
      response.set({ 'content-security-policy': "default-src 'none'; sandbox", 'content-type': label.type })
      response.status(200).end(label.body)
      return undefined
    },
  }),
]

/**
 * Addresses come from events: one that leads elsewhere than to the carrier is not followed, because the answer would
 * show the customer what only this process can reach.
 * @throws TallyError UNREACHABLE
 */
async function fetchLabel(url: string, carrierUrl: string): Promise<{ type: string; body: Buffer } | undefined> {
  const carrier = readAddress(carrierUrl)
  if (URL.parse(url)?.origin !== new URL(carrier.url).origin) return undefined
  try {
    const { statusCode, headers, body } = await request(url, {
      ...{ dispatcher: agent, headers: carrier.headers, signal: AbortSignal.timeout(timeoutMs) },
    })
    const type =
      String(headers['content-type'] ?? '')
        .split(';')[0]
        ?.trim() ?? ''
    const bytes = Buffer.from(await body.arrayBuffer())
    return statusCode === 200 && mediaTypes.includes(type) ? { type, body: bytes } : undefined
  } catch (error) {
    throw new TallyError('UNREACHABLE', 'the carrier does not answer', { cause: error })
  }
}
