import { createHash } from 'node:crypto'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { reachDatabase } from '../reach-database.ts'
import { problem } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'

/** The client's name of a request, by which a repeat is recognized. */
export interface Idempotency {
  key: string
  /** SHA-256 of operation and content: distinguishes a repeat from another request under the same key. */
  fingerprint: Buffer
}

/**
 * @param subject who sends the request: keys of different subjects are different keys
 * @param content the validated request: key order and unknown keys make no difference
 */
export const idempotencyOf = (
  key: string,
  subject: string | undefined,
  operation: string,
  content: object,
): Idempotency => ({
  key: subject === undefined ? key : `${subject} ${key}`, // A key has no space: nothing else reads the same
  fingerprint: createHash('sha256')
    .update(JSON.stringify([operation, content]))
    .digest(),
})

export interface KeyedReply extends Idempotency {
  reply: Reply
}

const take = prepared<{ key: string }>(
  'idempotency_take',
  `insert into idempotency (key, fingerprint, reply)
   select * from unnest($1::text[], $2::bytea[], $3::json[])
   on conflict (key) do nothing returning key`,
)

const find = prepared<KeyedReply>(
  'idempotency_find',
  'select key, fingerprint, reply from idempotency where key = any($1)',
)

/**
 * Claims keys together with their replies.
 * @returns the holder of each key: the first of those given or, if the key was claimed before, the stored one
 */
export async function claimKeys(tx: Tx, replies: readonly KeyedReply[]): Promise<Map<string, KeyedReply>> {
  const holders = new Map<string, KeyedReply>()
  for (const one of replies) if (!holders.has(one.key)) holders.set(one.key, one)
  // In one fixed order: two transactions that claim the same keys may wait for each other, but never deadlock
  const sorted = [...holders.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
  const taken = await take(
    tx,
    sorted.map(({ key }) => key),
    sorted.map(({ fingerprint }) => fingerprint),
    sorted.map(({ reply }) => JSON.stringify(reply)),
  )
  const fresh = new Set(taken.map(({ key }) => key))
  const known = [...holders.keys()].filter((key) => !fresh.has(key))
  if (known.length > 0) for (const stored of await find(tx, known)) holders.set(stored.key, stored)
  return holders
}

const release = prepared('idempotency_release', 'delete from idempotency where key = any($1)')

/** Gives up keys that this transaction has claimed. */
export async function releaseKeys(tx: Tx, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await release(tx, keys)
}

/**
 * The stored reply of a key.
 * @throws TallyError UNREACHABLE
 */
export async function findKey(pool: Pool, key: string): Promise<KeyedReply | undefined> {
  return (await reachDatabase(() => find(pool, [key])))[0]
}

/** The reply to a request whose key is claimed: the first reply again, or 409 if the first request was another. */
export const repeat = (holder: KeyedReply, { fingerprint }: Idempotency): Reply =>
  holder.fingerprint.equals(fingerprint)
    ? holder.reply
    : problem(409, 'This Idempotency-Key was used for another request. Use a new key for each request.')
