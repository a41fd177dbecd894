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
 * A proxy that forwards connections to a server and injects faults. A fault affects existing connections and those opened
 * until `heal`.
 */
export class TcpProxy implements AsyncDisposable {
  readonly port: number
  private readonly server: Server
  private readonly links = new Set<Link>()
  private readonly target: { host: string; port: number }
  private fault: Fault | undefined
  /** Decides whether the fault affects a connection. */
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

  /** Number of open connections. */
  get connections(): number {
    return this.links.size
  }

  /**
   * Injects a fault, instead of the current one if there is one.
   * @param share share of the connections to affect, 0 to 1
   * @param choose random number in [0, 1), called once per connection to decide whether it is affected
   */
  inject(fault: Fault, share = 1, choose: () => number = Math.random): void {
    this.fault = fault
    this.hit = () => share >= 1 || choose() < share
    for (const link of this.links) if (this.hit()) link.suffer(fault)
  }

  /** Ends the fault. Cut connections stay cut, and a connection that lost an answer is reset now. */
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
