import { TallyError } from '../errors.ts'

interface Opened<Client> {
  readonly client: Promise<Client>
  readonly at: number
  users: number
}

/** Leaders move, and a broker that is cut off from the others goes on answering: what a client knows must not get older. */
const renewedAfterMs = 60_000

/**
 * A client that is kept from use to use, so that regular questions do not connect, and log in, each time. It is replaced every
 * minute and after an error: the broker may be lost. A claim must not depend on its answers.
 */
export class Kept<Client> {
  private readonly connect: () => Promise<Client>
  private readonly disconnect: (client: Client) => Promise<unknown>
  private present: Opened<Client> | undefined
  private closed = false

  /** @param connect leaves nothing open when it fails */
  constructor(connect: () => Promise<Client>, disconnect: (client: Client) => Promise<unknown>) {
    this.connect = connect
    this.disconnect = disconnect
  }

  /** @throws what the connecting and the work throw; TallyError INTERRUPTED once it is closed */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.closed) throw new TallyError('INTERRUPTED', 'this client was closed')
    if (this.present && performance.now() - this.present.at > renewedAfterMs) this.giveUp(this.present)
    const opened = (this.present ??= { client: this.connect(), at: performance.now(), users: 0 })
    opened.users++
    try {
      return await work(await opened.client)
    } catch (error) {
      this.giveUp(opened)
      throw error
    } finally {
      opened.users--
      this.tidy(opened)
    }
  }

  /** For good. Does not wait for the disconnection. */
  close(): void {
    this.closed = true
    if (this.present) this.giveUp(this.present)
  }

  private giveUp(opened: Opened<Client>): void {
    if (this.present === opened) this.present = undefined
    this.tidy(opened)
  }

  /** Disconnects after the last use, because a client of kafkajs that is asked again connects again. */
  private tidy(opened: Opened<Client>): void {
    if (this.present === opened || opened.users > 0) return
    void opened.client.then(this.disconnect).catch(() => {})
  }
}
