import type { Config } from '../../../infra/config.ts'
import { topics } from '../../../schemas/topics.ts'
import { ordersWriter, readGroups } from '../groups.ts'

/** What one service needs of Kafka and the database, as its code declares it. Names of topics are without namespace. */
export interface ServiceRights {
  /** As which it logs in: the name of its process. */
  readonly principal: string
  /** Its database schema, quoted. */
  readonly schema: string
  readonly group?: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** Tables of other services that it reads, by schema (unquoted, without namespace). */
  readonly alsoReads: Readonly<Record<string, readonly string[]>>
}

/** The rights of the orders API and of every consumer. */
export async function declaredRights(config: Config): Promise<ServiceRights[]> {
  const groups = await readGroups({ ...config, generation: 1 }, [1])
  const writtenBy = (writer: string) =>
    topics.filter(({ writtenBy: writers }) => writers.split(', ').includes(writer)).map(({ name }) => name)
  const api = ordersWriter(config)
  return [
    {
      principal: api.name,
      schema: api.schema,
      reads: [],
      writes: writtenBy('orders API'),
      alsoReads: { order_status: ['order_status', 'timeline'], inventory: ['stock'] },
    },
    ...groups.map(({ name, schema, topics: reads, alsoReads = {} }) => ({
      ...{ principal: name, schema, group: name },
      ...{ reads: [...reads].sort(), writes: writtenBy(name), alsoReads },
    })),
  ]
}
