export interface CutterOptions {
  /** Bytes. A longer record is skipped without being kept. */
  longestRecord: number
  /** Bytes of all records together; records beyond it are skipped. */
  total: number
  /** A record without its length. */
  record(body: Buffer): void
  /** The front of a record that is skipped, with its whole length. */
  passedOver(front: Buffer, length: number): void
}

/** Bytes of a skipped record that hold its offset and, if short, its key. */
export const frontBytes = 4 * 1024

/** Splits pieces of a record batch into records. Holds at most one unfinished record. */
export class RecordCutter {
  private readonly options: CutterOptions
  private pieces: Buffer[] = []
  private held = 0
  /** Bytes needed before the next step. */
  private needed = 1
  private toSkip = 0
  private kept = 0

  constructor(options: CutterOptions) {
    this.options = options
  }

  push(piece: Buffer): void {
    this.pieces.push(piece)
    this.held += piece.length
    if (this.held < this.needed) return
    const bytes = this.pieces.length === 1 ? piece : Buffer.concat(this.pieces)
    const position = this.cut(bytes)
    this.pieces = position < bytes.length ? [bytes.subarray(position)] : []
    this.held = bytes.length - position
  }

  /** @returns the position up to which everything is processed; `needed` counts from there */
  private cut(bytes: Buffer): number {
    let position = 0
    for (;;) {
      const skipped = Math.min(this.toSkip, bytes.length - position)
      position += skipped
      this.toSkip -= skipped
      const start = position
      let length = 0
      let shift = 0
      for (let byte = 0x80; byte >= 0x80; shift += 7) {
        if (position === bytes.length) return this.wait(start, position - start + 1)
        if (shift > 28) throw new RangeError('a record without length')
        byte = bytes[position++]!
        length |= (byte & 0x7f) << shift
      }
      length = (length >>> 1) ^ -(length & 1)
      if (length < 0) throw new RangeError(`a record of ${length} bytes`)
      const keep = length <= this.options.longestRecord && this.kept + length <= this.options.total
      const wanted = keep ? length : Math.min(length, frontBytes)
      if (bytes.length - position < wanted) return this.wait(start, position - start + wanted)
      const body = bytes.subarray(position, position + wanted)
      if (keep) {
        this.kept += length
        this.options.record(body)
      } else this.options.passedOver(body, length)
      position += wanted
      this.toSkip = length - wanted
    }
  }

  private wait(start: number, needed: number): number {
    this.needed = needed
    return start
  }
}
