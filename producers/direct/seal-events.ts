import type { Config } from '../../infra/config.ts'
import { gather } from '../../infra/linger/gather.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { CustomerKeys } from '../../infra/security/customer-keys/customer-keys.ts'
import { hasClearText, sealRest } from '../../schemas/personal-data.ts'
import type { OutgoingEvent } from './publisher.ts'
import { ordersSchema } from '../orders-api/migrations.ts'

/** Seals the orders among events that go straight to Kafka. */
export interface Sealer {
  /** Resolves in the order of the calls. @throws errors of the database */
  seal(event: OutgoingEvent): Promise<OutgoingEvent>
  stop(): Promise<void>
}

/** Connects at the first order. */
export function createSealer({ namespace, postgres: { url } }: Pick<Config, 'namespace' | 'postgres'>): Sealer {
  const pool = createPool({ url, name: 'tally-seal', max: 1, log: silentLogger })
  const keys = new CustomerKeys(ordersSchema(namespace))
  const { add } = gather((events: OutgoingEvent[]) => sealOrders(keys, pool, events), { maxWaiting: Infinity })
  return { seal: add, stop: () => pool.end() }
}

/** The same events, with the personal data of orders sealed. */
export async function sealOrders<E extends Pick<OutgoingEvent, 'type' | 'data'>>(
  keys: CustomerKeys,
  pool: Pool,
  events: readonly E[],
): Promise<E[]> {
  const customers = events.flatMap((event) => customerToSeal(event) ?? [])
  if (customers.length === 0) return [...events]
  const found = await keys.find(pool, customers)
  return events.map((event) => {
    const key = found.get(customerToSeal(event) ?? '')
    return key ? { ...event, data: sealRest(key, event.type, event.data) } : event
  })
}

/** Undefined if there is nothing to seal. */
function customerToSeal({ type, data }: Pick<OutgoingEvent, 'type' | 'data'>): string | undefined {
  return type === 'OrderPlaced' && 'customerId' in data && hasClearText(type, data) ? data.customerId : undefined
}
