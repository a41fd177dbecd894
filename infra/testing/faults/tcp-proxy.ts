import { createServer, connect } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Fault } from './fault.ts'
import { Link } from './link.ts'

export interface TcpProxyOptions {
  /** Port on 127.0.0.1 to listen on. @default any free one */
  port?: number
  target: { host?: string; port: number }
}

/**
 * A network that can be broken: forwards connections to a server and does to them what `inject` says. Each connection is
 * one pair of client and server; a fault hits those there are and those that come until `heal`.
 */
export class TcpProxy implements AsyncDisposable {
  readonly port: number
  private readonly server: Server
  private readonly links = new Set<Link>()
  private readonly target: { host: string; port: number }
  private fault: Fault | undefined
  /** Whether the fault hits the connection that is asked for. */
  private hit: () => boolean = () => true

  private constructor(server: Server, target: TcpProxyOptions['target']) {
    this.server = server
    this.port = (server.address() as AddressInfo).port
    this.target = { host: target.host ?? '127.0.0.1', port: target.port }
    server.on('connection', (client) => this.accept(client))
  }

  static async open({ port = 0, target }: TcpProxyOptions): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return new TcpProxy(server, target)
  }

  /** Connections there are. */
  get connections(): number {
    return this.links.size
  }

  /**
   * Breaks the network, in one way at a time.
   * @param share part of the connections it hits, 0 to 1; which ones, `choose` says
   * @param choose 0 ≤ x < 1, asked once per connection
   */
  inject(fault: Fault, share = 1, choose: () => number = Math.random): void {
    this.fault = fault
    this.hit = () => share >= 1 || choose() < share
    for (const link of this.links) if (this.hit()) link.suffer(fault)
  }

  /** From now on everything is forwarded again. What was cut stays cut, and a connection that lost an answer is reset now. */
  heal(): void {
    this.fault = undefined
    for (const link of this.links) link.suffer(undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const link of this.links) link.end()
    await closed
  }

  private accept(client: Socket): void {
    const fault = this.fault && this.hit() ? this.fault : undefined
    if (fault?.kind === 'cut' || fault?.kind === 'reset') {
      client.resetAndDestroy()
      return
    }
    const link = new Link(client, connect({ ...this.target, allowHalfOpen: true }))
    this.links.add(link)
    void link.closed.then(() => this.links.delete(link))
    link.suffer(fault)
  }
}
