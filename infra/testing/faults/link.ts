import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from './fault.ts'

type Direction = 'request' | 'answer'

/** One connection through a proxy: two sockets and a pump in each direction that obeys the fault of the moment. */
export class Link {
  /** Settles when both sockets are gone. */
  readonly closed: Promise<unknown>
  private readonly client: Socket
  private readonly server: Socket
  private readonly over = new AbortController()
  private fault: Fault | undefined
  /** Whether the client will hear less than the server says, or something else. */
  private torn = false
  /** Woken whenever the fault changes. */
  private changed = Promise.withResolvers<void>()

  constructor(client: Socket, server: Socket) {
    this.client = client
    this.server = server
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.end()) // Broken connections are this file's business
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
    // TCP loses the end of a stream, never the middle: after a gap nothing may arrive any more
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

  /** Reads no further than it writes, so a slow side slows the other down and nothing piles up here. */
  private async pump(from: Socket, to: Socket, direction: Direction): Promise<void> {
    const { signal } = this.over
    try {
      // Who has said all may still be listening: the iterator must not destroy the socket
      for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (!(await this.passes(piece, direction))) continue
        if (!to.write(piece)) await once(to, 'drain', { signal })
      }
      to.end()
    } catch {
      this.end()
    }
  }

  /** Holds a piece back as long as the fault wants. @returns whether it arrives at all */
  private async passes(piece: Buffer, direction: Direction): Promise<boolean> {
    while (this.fault?.kind === 'stall' && !this.over.signal.aborted) await this.changed.promise
    const { fault } = this
    switch (fault?.kind) {
      case 'drop-answers':
        this.torn = true // Also by a request whose answer would come only after the fault
        return direction === 'request'
      case 'http-error':
        if (direction === 'answer') return !this.torn // To a request from before
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
