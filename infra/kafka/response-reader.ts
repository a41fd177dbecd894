/**
 * Reads the fields of a response in flexible encoding, one after another.
 * Source: Apache Kafka protocol guide, "Protocol primitive types".
 */
export class ResponseReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  hex(bytes: number): string {
    this.#at += bytes
    return this.#bytes.toString('hex', this.#at - bytes, this.#at)
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  /** A compact string; empty if it is null. */
  text(): string {
    const length = this.unsignedVarint() - 1
    if (length < 0) return ''
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint()
      this.skip(this.unsignedVarint())
    }
  }

  /** A compact array. @param read reads one element */
  each(read: () => void): void {
    for (let count = this.unsignedVarint() - 1; count > 0; count--) read()
  }
}
