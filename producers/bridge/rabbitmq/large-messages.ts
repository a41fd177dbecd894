export interface LargeMessagesOptions {
  /** Bytes of a message from which on it counts: the others are bounded by their number. */
  readonly from: number
  /** Bytes of all of them in memory at most. One may exceed it, so that it is processed at all. */
  readonly most: number
}

/**
 * Bounds the bytes of large messages in memory. A consumer of RabbitMQ asks for a number of messages, and gets them however
 * large they are. One for which there is no room is not kept: the queue delivers it again once there is.
 */
export class LargeMessages {
  private readonly options: LargeMessagesOptions
  private bytes = 0
  private readonly putOff: { readonly bytes: number; giveBack(): void }[] = []

  constructor(options: LargeMessagesOptions) {
    this.options = options
  }

  /**
   * Call `done` with the bytes of every message that was admitted.
   * @param giveBack returns it to its queue; called later if it is not admitted
   */
  admit(bytes: number, giveBack: () => void): boolean {
    const { from, most } = this.options
    if (bytes < from) return true
    if (this.bytes > 0 && this.bytes + bytes > most) {
      this.putOff.push({ bytes, giveBack })
      return false
    }
    this.bytes += bytes
    return true
  }

  done(bytes: number): void {
    const { from, most } = this.options
    if (bytes < from) return
    this.bytes -= bytes
    if (this.bytes > 0) return
    // Half of the room: new ones come at the same time
    for (let returned = 0; returned < most / 2; ) {
      const next = this.putOff.shift()
      if (!next) return
      returned += next.bytes
      next.giveBack()
    }
  }

  /** Their connection has ended, and the queue has them all. */
  forget(): void {
    this.putOff.length = 0
  }
}
