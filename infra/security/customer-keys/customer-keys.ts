import { TallyError } from '../../errors.ts'
import { gather } from '../../linger/gather.ts'
import type { Gathering } from '../../linger/gather.ts'
import type { Pool } from '../../postgres/pool.ts'
import type { Tx } from '../../postgres/transaction.ts'
import { isSealed, keyIdOf, openText, sealingKey } from '../sealed-text.ts'
import type { SealingKey } from '../sealed-text.ts'
import { keyTable } from './key-table.ts'
import type { KeyTable, StoredKey } from './key-table.ts'

/** How long a process uses a key without looking whether it was erased, ms. */
export const keysKeptMs = 15_000
const mostKept = 10_000

/** A text with its key: what opens it may also seal an answer to it. */
export interface Opened {
  readonly texts: readonly string[]
  /** Undefined if none of the texts was sealed. */
  readonly key: SealingKey | undefined
}

/** The keys of customers, kept for a few seconds. */
export class CustomerKeys {
  private readonly table: KeyTable
  private readonly byCustomer: ShortCache<string, SealingKey>
  private readonly byId: ShortCache<number, SealingKey>
  private readonly reads = new WeakMap<Pool, Gathering<number, StoredKey | undefined>>()

  /**
   * @param schema of the orders API
   * @param now a clock of milliseconds; @default the process's
   */
  constructor(schema: string, now?: () => number) {
    this.table = keyTable(schema)
    this.byCustomer = new ShortCache({ most: mostKept, keptMs: keysKeptMs, now })
    this.byId = new ShortCache({ most: mostKept, keptMs: keysKeptMs, now })
  }

  /** The key of each customer; one without gets one. */
  async find(pool: Pool, customerIds: readonly string[]): Promise<Map<string, SealingKey>> {
    const found = new Map<string, SealingKey>()
    const unknown = new Set<string>()
    for (const id of customerIds) {
      const kept = this.byCustomer.get(id)
      if (kept) found.set(id, kept)
      else unknown.add(id)
    }
    if (unknown.size === 0) return found
    for (const [customerId, { id, key }] of await this.table.ensure(pool, [...unknown])) {
      const ready = sealingKey(id, customerId, key)
      this.byCustomer.set(customerId, ready)
      found.set(customerId, ready)
    }
    return found
  }

  /** Keeps keys from being erased until the transaction ends. @returns those that are erased, or are just being */
  async hold(tx: Tx, keys: readonly SealingKey[]): Promise<SealingKey[]> {
    if (keys.length === 0) return []
    const held = await this.table.hold(tx, [...new Set(keys.map(({ id }) => id))])
    const gone = keys.filter(({ id }) => !held.has(id))
    for (const { customerId } of gone) this.byCustomer.delete(customerId)
    return gone
  }

  /**
   * Opens the sealed ones of some texts of one customer; others stay as they are. Keys that are looked up at the same time
   * share a statement.
   * @returns undefined if the customer was forgotten
   * @throws TallyError INVARIANT for a key that is unknown here
   */
  async open(pool: Pool, texts: readonly string[]): Promise<Opened | undefined> {
    const keyId = texts.map(keyIdOf).find((id) => id !== undefined)
    if (keyId === undefined) return { texts, key: undefined }
    const key = this.byId.get(keyId) ?? (await this.readKey(pool, keyId))
    if (!key) return undefined
    return { texts: texts.map((text) => (isSealed(text) ? openText(key, text) : text)), key }
  }

  private async readKey(pool: Pool, id: number): Promise<SealingKey | undefined> {
    const stored = await this.readsOf(pool).add(id)
    if (!stored)
      throw new TallyError('INVARIANT', `there is no key ${id}: were tables of the orders API restored without others?`)
    if (stored.key === null) return undefined
    const ready = sealingKey(id, stored.customerId, stored.key)
    this.byId.set(id, ready)
    return ready
  }

  private readsOf(pool: Pool): Gathering<number, StoredKey | undefined> {
    const known = this.reads.get(pool)
    if (known) return known
    const made = gather(async (ids: number[]) => {
      const found = await this.table.read(pool, [...new Set(ids)])
      return ids.map((id) => found.get(id))
    })
    this.reads.set(pool, made)
    return made
  }
}

/** Values that are kept for a short time, and a limited number of them: the oldest leave first. */
class ShortCache<Key, Value> {
  private readonly kept = new Map<Key, { value: Value; until: number }>()
  private readonly limits: { most: number; keptMs: number; now: () => number }

  constructor(limits: { most: number; keptMs: number; now?: (() => number) | undefined }) {
    this.limits = { ...limits, now: limits.now ?? (() => performance.now()) }
  }

  get(key: Key): Value | undefined {
    const found = this.kept.get(key)
    if (found && found.until > this.limits.now()) return found.value
    this.kept.delete(key)
    return undefined
  }

  set(key: Key, value: Value): void {
    this.kept.delete(key)
    this.kept.set(key, { value, until: this.limits.now() + this.limits.keptMs })
    const [oldest] = this.kept.keys()
    if (this.kept.size > this.limits.most) this.kept.delete(oldest as Key)
  }

  delete(key: Key): void {
    this.kept.delete(key)
  }
}
