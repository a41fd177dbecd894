import { mayKnow } from '../http/caller.ts'
import type { Caller } from '../http/caller.ts'
import type { OrderStatus } from '../http/contract.ts'
import type { OrderReader } from './order-reader.ts'

/**
 * An order, if there is one and the caller may know of it: the orders of others do not exist for them.
 * @throws TallyError UNREACHABLE when the database does not answer
 */
export async function findKnown(
  reader: Pick<OrderReader, 'find' | 'customerOf'>,
  orderId: string,
  caller: Caller,
): Promise<OrderStatus | undefined> {
  const order = await reader.find(orderId)
  if (!order || mayKnow(caller, order.customerId)) return order
  // The projection may have seen other events of the order first
  return order.customerId === null && mayKnow(caller, await reader.customerOf(orderId)) ? order : undefined
}
