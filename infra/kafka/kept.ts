/**
 * A client that is kept from use to use, so that regular questions do not connect, and log in, each time. After an error it
 * is given up: the broker may be lost, and the next use connects to another.
 */
export class Kept<Client> {
  private readonly connect: () => Promise<Client>
  private readonly disconnect: (client: Client) => Promise<unknown>
  private client: Promise<Client> | undefined

  /** @param connect leaves nothing open when it fails */
  constructor(connect: () => Promise<Client>, disconnect: (client: Client) => Promise<unknown>) {
    this.connect = connect
    this.disconnect = disconnect
  }

  /** @throws what the connecting and the work throw */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = (this.client ??= this.connect())
    try {
      return await work(await client)
    } catch (error) {
      if (this.client === client) this.stop()
      throw error
    }
  }

  /** Does not wait for the disconnection. A later use connects again. */
  stop(): void {
    void this.client?.then(this.disconnect).catch(() => {})
    this.client = undefined
  }
}
