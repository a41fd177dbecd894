/**
 * Byte strings as one parameter, in PostgreSQL's binary format of an array of `bytea`: as text, each byte takes two
 * characters, which both sides have to convert.
 */
export class BytesParameter {
  readonly values: readonly Buffer[]

  constructor(values: readonly Buffer[]) {
    this.values = values
  }

  toPostgres(): Buffer {
    const { values } = this
    const length = values.reduce((sum, value) => sum + 4 + value.length, 20)
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (const word of [1, 0, byteaOid, values.length, 1]) at = bytes.writeInt32BE(word, at)
    for (const value of values) {
      at = bytes.writeInt32BE(value.length, at)
      at += value.copy(bytes, at)
    }
    return bytes
  }
}

const byteaOid = 17
