import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from './fault.ts'

type Direction = 'request' | 'answer'

/** One connection through a proxy: two sockets and a pump in each direction, subject to the current fault. */
export class Link {
  /** Settles when both sockets are closed. */
  readonly closed: Promise<unknown>
  private readonly client: Socket
  private readonly server: Socket
  private readonly over = new AbortController()
  private fault: Fault | undefined
  /** Whether a part of the server's answers is lost or replaced. */
  private torn = false
  /** Woken whenever the fault changes. */
  private changed = Promise.withResolvers<void>()

  constructor(client: Socket, server: Socket) {
    this.client = client
    this.server = server
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.end()) // Broken connections are expected
    }
    this.closed = Promise.all([client, server].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    void this.pump(client, server, 'request')
    void this.pump(server, client, 'answer')
  }

  suffer(fault: Fault | undefined): void {
    this.fault = fault
    this.changed.resolve()
    this.changed = Promise.withResolvers()
    if (fault?.kind === 'cut') this.end()
    // A TCP stream has no gaps: after a lost chunk nothing more may arrive
    else if (fault?.kind === 'reset' || (this.torn && fault?.kind !== 'drop-answers')) this.end(true)
  }

  end(rudely = false): void {
    this.over.abort()
    this.changed.resolve()
    for (const socket of [this.client, this.server]) {
      if (rudely && !socket.connecting) socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** Forwards with backpressure: a slow reader slows down the writer. */
  private async pump(from: Socket, to: Socket, direction: Direction): Promise<void> {
    const { signal } = this.over
    try {
      // A side that has sent everything may still receive: the iterator must not destroy the socket
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (!(await this.passes(piece, direction))) continue
        if (!to.write(piece)) await once(to, 'drain', { signal })
      }
      to.end()
    } catch {
      this.end()
    }
  }

  /** Delays a chunk as long as the fault requires. @returns false if it is dropped */
  private async passes(piece: Buffer, direction: Direction): Promise<boolean> {
    while (this.fault?.kind === 'stall' && !this.over.signal.aborted) await this.changed.promise
    const { fault } = this
    switch (fault?.kind) {
      case 'drop-answers':
        this.torn = true // Also for a request whose answer would arrive after the fault
        return direction === 'request'
      case 'http-error':
        if (direction === 'answer') return !this.torn // An answer to an earlier request
        if (!this.torn) this.client.end(answer(fault.status))
        this.torn = true
        return false
      case 'slow': {
        const { latencyMs, jitterMs = 0, bytesPerSecond = Infinity } = fault
        const lateMs = latencyMs + Math.random() * jitterMs + (piece.length / bytesPerSecond) * 1_000
        await delay(lateMs, undefined, { signal: this.over.signal })
        return true
      }
      default:
        return !this.torn
    }
  }
}

const answer = (status: number): string =>
  `HTTP/1.1 ${status} Injected\r\ncontent-type: text/plain\r\ncontent-length: 9\r\nconnection: close\r\n\r\ninjected\n`
