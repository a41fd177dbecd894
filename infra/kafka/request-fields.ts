/** Fields of a request in flexible encoding. Source: Apache Kafka protocol guide, "Protocol primitive types". */
export const noTags = Buffer.from([0])

export function unsignedVarint(value: number): Buffer {
  const bytes = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}

/** A compact string or byte array. */
export const compactBytes = (bytes: Buffer): Buffer => Buffer.concat([unsignedVarint(bytes.length + 1), bytes])

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
