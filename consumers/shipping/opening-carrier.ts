import type { Pool } from '../../infra/postgres/pool.ts'
import { sealText } from '../../infra/security/sealed-text.ts'
import type { CustomerKeys } from '../../infra/security/customer-keys/customer-keys.ts'
import type { MakeOptions } from '../runtime/handler.ts'
import type { Carrier, ShipmentAnswer, ShipmentRequest } from './carrier.ts'

/**
 * The carrier for requests whose address is sealed: the only place where personal data is opened, and only for the time of the
 * call. What the carrier says in words may repeat the address, so it is sealed, too. An order of a forgotten customer is
 * refused without asking the carrier.
 */
export const openingCarrier =
  (carrier: Carrier, keys: Pick<CustomerKeys, 'open'>) =>
  async (request: ShipmentRequest, { pool, ...options }: MakeOptions): Promise<ShipmentAnswer> => {
    const opened = await openRequest(request, keys, pool)
    if (!opened) return { outcome: 'refused', code: 'customer_forgotten', detail: '', refusedAt: Date.now() }
    const answer = await carrier.schedule(opened.request, options)
    if (answer.outcome !== 'refused') return answer
    return { ...answer, detail: opened.key ? sealText(opened.key, answer.detail) : '' }
  }

async function openRequest(request: ShipmentRequest, keys: Pick<CustomerKeys, 'open'>, pool: Pool) {
  const { shipTo } = request
  const names = ['recipient', 'street', 'city', 'postalCode'] as const
  const opened = await keys.open(
    pool,
    names.map((name) => shipTo[name]),
  )
  if (!opened) return undefined
  const texts = Object.fromEntries(names.map((name, index) => [name, opened.texts[index]]))
  return { key: opened.key, request: { ...request, shipTo: { ...shipTo, ...texts } } }
}
