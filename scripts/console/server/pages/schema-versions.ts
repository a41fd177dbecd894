import type { Config } from '../../../../infra/config.ts'
import { askRegistry } from '../../../../schemas/registry/registry-client.ts'

/** Which version of its subject a schema id is. Ids never change their meaning, so each is asked for once. */
export class SchemaVersions {
  private readonly config: Config
  private readonly known = new Map<number, string>()

  constructor(config: Config) {
    this.config = config
  }

  /** Never throws: without the registry the versions stay unknown. */
  async learn(ids: Iterable<number>): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.known.has(id))
    await Promise.all(
      unknown.map(async (id) => {
        const found = await askRegistry(this.config.registry.url, `/schemas/ids/${id}/versions`).catch(() => undefined)
        const [first] = Array.isArray(found) ? (found as { version?: number }[]) : []
        if (first?.version !== undefined) this.known.set(id, `v${first.version}`)
      }),
    )
  }

  /** `v2 (id 14)` */
  of(id: number): string {
    const version = this.known.get(id)
    return version === undefined ? `id ${id}` : `${version} (id ${id})`
  }
}
