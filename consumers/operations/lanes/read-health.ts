import type { Config } from '../../../infra/config.ts'
import { explainFailure } from '../../../infra/explain-failure.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { commandLogger } from '../../../infra/kafka/command-client.ts'
import { chooseGroups, deployedOf, ordersWriter, readGroups } from '../groups.ts'
import { answerWithin, patienceMs } from './answer-within.ts'
import { judgeLanes } from './lane-health.ts'
import type { LaneHealth } from './lane-health.ts'
import { readLaneRows } from './lane-row.ts'
import { readOutboxBacklog } from '../../../producers/outbox/outbox-backlog.ts'
import type { OutboxBacklog } from '../../../producers/outbox/outbox-backlog.ts'
import { addOpenTransactions, readTopicEnds } from './topic-ends.ts'
import type { TopicEnds } from './topic-ends.ts'

export interface GroupHealth {
  readonly group: string
  readonly lanes: readonly LaneHealth[]
}

export interface Health {
  readonly groups: readonly GroupHealth[]
  /** Consumers without tables: removed, or never deployed. */
  readonly undeployed: readonly string[]
  /** The outbox of the orders API; read only if all consumers are selected. */
  readonly orders: OutboxBacklog | undefined
  /** Why the ends of the topics are unknown. */
  readonly brokerTrouble: string | undefined
  /** Why it is unknown whether transactions are open. */
  readonly transactionTrouble?: string
}

/** Connections for a single read, so that an operator does not wait for a frozen server. */
export const openForOperator = (config: Config): Pool =>
  createPool({
    url: config.postgres.url,
    name: 'tally-lanes',
    max: 2,
    answerWithinMs: patienceMs + 500, // Ends what `answerWithin` has given up
    log: commandLogger('lanes', config),
  })

/**
 * Reads the health of every lane. If the broker does not answer, only the lag is unknown.
 * @param names of consumers; all if empty
 * @throws TallyError USAGE for an unknown consumer; UNREACHABLE and errors of pg if the database does not answer
 */
export async function readHealth(configured: Config, pool: Pool, names: readonly string[] = []): Promise<Health> {
  const config = await answerWithin('PostgreSQL', currentConfig(configured, pool))
  const asked = names.length > 0 ? await chooseGroups(config, names) : await readGroups(config)
  const { deployed: groups, undeployed } = await answerWithin('PostgreSQL', deployedOf(pool, asked))
  const read = Promise.all([
    names.length > 0 ? undefined : readOutboxBacklog(pool, ordersWriter(config).schema),
    ...groups.map(async (group) => ({ group, rows: await readLaneRows(pool, group.schema) })),
  ])
  const [orders, ...tables] = await answerWithin('PostgreSQL', read)
  const topics = [...new Set(groups.flatMap((group) => [...group.topics]))]
  const isBehind = (topic: string, partition: number, end: number) =>
    tables.some(
      ({ group, rows }) =>
        group.topics.has(topic) && (rows.find(({ lane }) => lane === partition)?.positions[topic] ?? 0) < end,
    )
  const { ends, ...troubles } = await readTopicEnds(config, topics, isBehind).then(
    async (found) => ({ brokerTrouble: undefined, ...(await withOpenTransactions(config, found)) }),
    (error: unknown) => ({ ends: undefined, brokerTrouble: explainFailure(error, () => config).sentence }),
  )
  const lanesOf = ({ group, rows }: (typeof tables)[number]) =>
    judgeLanes(rows, [...group.topics], config.partitions, ends)
  return {
    groups: tables.map((table) => ({ group: table.group.name, lanes: lanesOf(table) })),
    undeployed,
    orders,
    ...troubles,
  }
}

/** The look takes several requests: a lag that is known must not wait for it. */
const withOpenTransactions = (
  config: Config,
  ends: TopicEnds,
): Promise<{ ends: TopicEnds; transactionTrouble?: string }> =>
  addOpenTransactions(config, ends).then(
    (found) => ({ ends: found }),
    (error: unknown) => ({ ends, transactionTrouble: explainFailure(error, () => config).sentence }),
  )
