const words = 4
const leastSlots = 1_024
const slotBytes = words * Uint32Array.BYTES_PER_ELEMENT

/** Bytes that a set of so many ids takes at most, with the smaller table that is replaced when it grows. */
export const bytesForIds = (ids: number): number =>
  Math.max(leastSlots, 2 ** Math.ceil(Math.log2(Math.max(1, ids) * 2))) * slotBytes * 1.5

/** A set of UUIDs in 32 to 64 bytes each: a log may contain many millions of events. */
export class IdSet {
  private slots = new Uint32Array(leastSlots * words)
  private size = 0

  /** @returns whether it was new */
  add(id: string): boolean {
    return this.addWords(
      Number.parseInt(id.slice(0, 8), 16),
      Number.parseInt(id.slice(9, 13) + id.slice(14, 18), 16),
      Number.parseInt(id.slice(19, 23) + id.slice(24, 28), 16),
      Number.parseInt(id.slice(28), 16),
    )
  }

  /** Adds ids as `packIds` wrote them. */
  addPacked(ids: Buffer): void {
    for (let at = 0; at < ids.length; at += 16) {
      this.addWords(ids.readUInt32BE(at), ids.readUInt32BE(at + 4), ids.readUInt32BE(at + 8), ids.readUInt32BE(at + 12))
    }
  }

  private addWords(a: number, b: number, c: number, d: number): boolean {
    if (!put(this.slots, a, b, c, d)) return false
    if (++this.size * words * 2 > this.slots.length) this.grow()
    return true
  }

  private grow(): void {
    const old = this.slots
    this.slots = new Uint32Array(old.length * 2)
    for (let at = 0; at < old.length; at += words) {
      const a = old[at]!
      const b = old[at + 1]!
      const c = old[at + 2]!
      const d = old[at + 3]!
      if ((a | b | c | d) !== 0) put(this.slots, a, b, c, d)
    }
  }
}

/** Open addressing. A slot of zeros is free: no event has the nil UUID. */
function put(slots: Uint32Array, a: number, b: number, c: number, d: number): boolean {
  const mask = slots.length / words - 1
  let hash = Math.imul(a ^ (b << 7) ^ (b >>> 25), 0x9e37_79b1) ^ Math.imul(c, 0x85eb_ca6b) ^ Math.imul(d, 0xc2b2_ae35)
  hash ^= hash >>> 15
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const at = slot * words
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) return false
    if ((slots[at]! | slots[at + 1]! | slots[at + 2]! | slots[at + 3]!) !== 0) continue
    slots[at] = a
    slots[at + 1] = b
    slots[at + 2] = c
    slots[at + 3] = d
    return true
  }
}

/** UUIDs in 16 bytes each. */
export const packIds = (ids: readonly string[]): Buffer => Buffer.from(ids.join('').replaceAll('-', ''), 'hex')
