import type { Reply } from '../../http/reply.ts'
import { repeat } from '../idempotency.ts'
import type { Idempotency, KeyedReply } from '../idempotency.ts'

/**
 * Attempts a request. A repeat may be refused only because of events since the first request: then the first reply
 * applies.
 * @param findKey the earlier reply of a key
 */
export async function onceOnly(
  idempotency: Idempotency | undefined,
  findKey: (key: string) => Promise<KeyedReply | undefined>,
  attempt: () => Promise<Reply>,
): Promise<Reply> {
  const reply = await attempt()
  if (!idempotency || reply.status < 400) return reply
  const first = await findKey(idempotency.key)
  return first ? repeat(first, idempotency) : reply
}
