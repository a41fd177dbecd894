import { setTimeout as delay } from 'node:timers/promises'
import type { Socket } from 'node:net'
import type { Fault } from './fault.ts'

/** One connection through a proxy: two sockets and a pump in each direction that obeys the fault of the moment. */
export class Link {
  /** Settles when both sockets are gone. */
  readonly closed: Promise<void>
  private readonly client: Socket
  private readonly server: Socket
  private readonly over = new AbortController()
  private fault: Fault | undefined
  /** Woken whenever the fault changes. */
  private changed = Promise.withResolvers<void>()

  constructor(client: Socket, server: Socket) {
    this.client = client
    this.server = server
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.end()) // Broken connections are this file's business
    }
    this.closed = Promise.all(
      [client, server].map((socket) => new Promise((resolve) => socket.on('close', resolve))),
    ).then(() => {})
    void this.pump(client, server, 'request')
    void this.pump(server, client, 'answer')
  }

  suffer(fault: Fault | undefined): void {
    this.fault = fault
    this.changed.resolve()
    this.changed = Promise.withResolvers()
    if (fault?.kind === 'cut') this.end()
    if (fault?.kind === 'reset') this.end(true)
  }

  end(rudely = false): void {
    this.over.abort()
    this.changed.resolve()
    for (const socket of [this.client, this.server]) {
      if (rudely && !socket.connecting) socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** Reads no further than it writes, so a slow side slows the other down and nothing piles up here. */
  private async pump(from: Socket, to: Socket, direction: 'request' | 'answer'): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (!(await this.passes(piece, direction))) continue
        if (!to.write(piece)) await new Promise((resolve) => to.once('drain', resolve).once('close', resolve))
      }
      to.end()
    } catch {
      this.end()
    }
  }

  /** Holds a piece back as long as the fault wants. @returns whether it arrives at all */
  private async passes(piece: Buffer, direction: 'request' | 'answer'): Promise<boolean> {
    while (this.fault?.kind === 'stall' && !this.over.signal.aborted) await this.changed.promise
    const { fault } = this
    switch (fault?.kind) {
      case 'drop-answers':
        return direction === 'request'
      case 'http-error':
        if (direction === 'request') this.client.end(answer(fault.status))
        return false
      case 'slow': {
        const transferMs = fault.bytesPerSecond ? (piece.length / fault.bytesPerSecond) * 1_000 : 0
        await delay(fault.latencyMs + transferMs, undefined, { signal: this.over.signal })
        return true
      }
      default:
        return true
    }
  }
}

const answer = (status: number): string =>
  `HTTP/1.1 ${status} Injected\r\ncontent-type: text/plain\r\ncontent-length: 9\r\nconnection: close\r\n\r\ninjected\n`
