import { createHash } from 'node:crypto'

/** Namespace of generated and imported ids: any fixed UUID works, but another one would give other ids. */
const namespace = Buffer.from('7a1c0f8e5d3b4e6f9a2b41c86d0e7f35', 'hex')

/**
 * A UUIDv5: the same parts always give the same id. It has no time, so that hash bits are not mistaken for one.
 * Source: RFC 9562, section 5.5.
 */
export function seededId(...parts: readonly (string | number)[]): string {
  const bytes = digest(parts).subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

const digest = (parts: readonly (string | number)[]): Buffer =>
  createHash('sha1').update(namespace).update(parts.join('/')).digest()

/** A deterministic source of random numbers. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number
  /** min ≤ x ≤ max */
  int(min: number, max: number): number
  /** One of the items; there must be at least one. */
  pick<T>(items: readonly T[]): T
}

/** Random numbers that depend only on the parts: index 7 can be generated without 0 to 6. */
export function seededRandom(...parts: readonly (string | number)[]): Random {
  const bytes = digest(parts)
  const next = sfc32(bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(8), bytes.readInt32LE(12))
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: <T>(items: readonly T[]) => items[Math.floor(next() * items.length)] as T,
  }
}

/** Chris Doty-Humphrey's small fast counter generator: 128 bits of state, passes PractRand. */
function sfc32(a: number, b: number, c: number, counter: number): () => number {
  return () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
}

/**
 * A Zipf distribution: rank r of n has weight 1 / (r + 1)^exponent.
 * @returns a function that draws a rank, 0 ≤ rank < n
 */
export function zipf(n: number, exponent: number): (random: Random) => number {
  let sum = 0
  const upTo = Float64Array.from({ length: n }, (_, rank) => (sum += 1 / (rank + 1) ** exponent))
  return (random) => {
    const target = random.next() * sum
    let low = 0
    let high = n - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? 0) <= target) low = middle + 1
      else high = middle
    }
    return low
  }
}
