/**
 * The partition of a key, computed like Java's default partitioner and kafkajs. Every producer sets it itself, so that the
 * lane of a key is known before sending.
 */
export const laneOf = (key: string | Buffer, partitions: number): number =>
  (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fff_ffff) % partitions

const m = 0x5bd1_e995

function murmur2(data: Buffer): number {
  const whole = data.length & ~3
  let h = 0x9747_b28c ^ data.length
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(data.readInt32LE(i), m)
    k = Math.imul(k ^ (k >>> 24), m)
    h = Math.imul(h, m) ^ k
  }
  if (whole < data.length) {
    for (let i = data.length - 1; i >= whole; i--) h ^= data.readUInt8(i) << (8 * (i - whole))
    h = Math.imul(h, m)
  }
  h = Math.imul(h ^ (h >>> 13), m)
  return h ^ (h >>> 15)
}
