import type { Kafka } from 'kafkajs'
import type { Config } from '../../infra/config.ts'
import { withGeneration } from '../../infra/topic-generations/current-config.ts'
import { readGenerations } from '../../infra/topic-generations/generation-table.ts'
import type { Generation } from '../../infra/topic-generations/generation-table.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { readOpenTransactions } from '../../infra/kafka/reading/open-transactions.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { silentLogger } from '../../infra/logger.ts'
import type { Logger } from '../../infra/logger.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { generationOf, inGeneration, topics } from '../../schemas/topics.ts'
import { readGroupAccount } from '../../consumers/operations/group-account.ts'
import { openTransaction } from '../../consumers/operations/lanes/troubles.ts'
import { deployedOf, ordersWriter, readGroups } from '../../consumers/operations/groups.ts'
import { readTopics } from '../../consumers/runtime/tables/ledger-account.ts'
import { readOutboxLanes } from '../../producers/outbox/outbox-backlog.ts'
import type { Group } from '../../consumers/operations/groups.ts'
import { createActs } from './acts/acts.ts'
import { createLosses } from './acts/losses.ts'
import { readLossyRebuilds } from './acts/lossy-rebuilds.ts'
import type { Evidence } from './evidence.ts'
import { countBy, judge } from './finding.ts'
import type { Finding } from './finding.ts'
import { finalStateOf } from './fold.ts'
import type { FinalState } from './fold.ts'
import { readJournal } from './gateway-journal.ts'
import { capturedOnce } from './invariants/captured-once.ts'
import { eventSets } from './invariants/event-sets.ts'
import { gatewayAgrees } from './invariants/gateway-agrees.ts'
import { handedOver } from './invariants/handed-over.ts'
import { messagesPlaced } from './invariants/messages-placed.ts'
import { nothingParked } from './invariants/nothing-parked.ts'
import { offsetsTiled } from './invariants/offsets-tiled.ts'
import { ordersAccepted } from './invariants/orders-accepted.ts'
import { ordersEnded } from './invariants/orders-ended.ts'
import { outboxPublished } from './invariants/outbox-published.ts'
import { parkedAccounted } from './invariants/parked-accounted.ts'
import { stockConserved } from './invariants/stock-conserved.ts'
import { tablesEqualFold } from './invariants/tables-equal-fold.ts'
import { takenOnce } from './invariants/taken-once.ts'
import { topicsWhole } from './invariants/topics-whole.ts'
import type { EventQueue } from './queues/drain-events.ts'
import { handingOver } from './queues/handing-over.ts'
import { readServiceTables } from './service-tables.ts'
import { offsetRanges } from './read-topics.ts'
import { readHalts, settle } from './settle.ts'
import { readHistory } from './topic-history.ts'

/** Each compares two independent accounts of the same facts. They do not depend on each other. */
export const invariants: readonly ((evidence: Evidence) => Finding)[] = [
  ordersEnded,
  eventSets,
  stockConserved,
  capturedOnce,
  gatewayAgrees,
  ordersAccepted,
  takenOnce,
  offsetsTiled,
  outboxPublished,
  tablesEqualFold,
  nothingParked,
  parkedAccounted,
  topicsWhole,
]

export interface VerifyOptions {
  /** Drain timeout, milliseconds. @default 30_000 */
  settleWithinMs?: number
  /** A queue of events to empty and to compare with the topics. @default none: nothing is written anywhere */
  queue?: EventQueue | undefined
  log?: Logger
  signal?: AbortSignal
}

export interface Verdict {
  ok: boolean
  /** Orders by state. */
  orders: ReadonlyMap<FinalState | 'pending', number>
  findings: readonly Finding[]
  /** Consumers without tables, which were not checked. */
  undeployed: readonly string[]
}

/**
 * Checks whether every event took effect exactly once: reads all topics from offset 0, all tables and the gateway's journal,
 * and checks every invariant. Writes nothing, except that it empties `queue`.
 * @throws as `drainEvents`; TallyError PRECONDITION_FAILED if the queue's forwarder is not deployed; UNREACHABLE, or the client's own error, if a server does not answer
 */
export async function verify(configured: Config, options: VerifyOptions = {}): Promise<Verdict> {
  const { settleWithinMs = 30_000, queue, log = silentLogger, signal } = options
  const { namespace } = configured
  const kafka = createKafka({ servers: configured.kafka, clientId: 'tally-verify', log })
  const pool = createPool({ url: configured.postgres.url, name: 'verify', max: 2, log })
  try {
    const generations = await readGenerations(pool, namespace)
    const config = withGeneration(configured, generations.at(-1))
    const orders = ordersWriter(config)
    const { groups, undeployed } = await readGroupsOfAll(pool, config, generations)
    const moving = await settle({ kafka, pool, namespace, orders, groups }, settleWithinMs, signal)
    const halts = await readHalts(pool, groups)
    const handing = queue && (await handingOver(config, queue, groups))
    const codec = await createCodec({ registryUrl: config.registry.url, namespace, types: [], log, signal })
    const accounts = await Promise.all(
      groups.map(async (group) => ({ group, account: await readGroupAccount(pool, group) })),
    )
    const acts = createActs(accounts)
    const history = await readHistory({
      ...{ kafka, pool },
      codec,
      namespace,
      topics: namesOf(generations),
      acts,
      signal,
      onEvent: handing?.onEvent,
    })
    const losses = createLosses(accounts, history, await readLossyRebuilds(config, log))
    const evidence: Evidence = {
      history,
      journal: await readJournal(config.gateway.url, signal),
      outboxes: await Promise.all(
        [orders, ...groups].map(async (writer) => ({ writer, lanes: await readOutboxLanes(pool, writer.schema) })),
      ),
      groups: accounts,
      causeOf: (key) => acts.causeOf(key) ?? losses.causeOf(key),
      losses,
      undeployed: new Set(undeployed),
      tables: await readServiceTables(pool, config, undeployed),
    }
    const held = await heldBack(kafka, namespace, namesOf(generations))
    const findings = [
      settled(moving, halts, held),
      ...invariants.map((invariant) => invariant(evidence)),
      ...(evidence.tables.messages.length > 0 ? [messagesPlaced(evidence)] : []),
      ...(handing ? [handedOver(handing.account(), evidence)] : []),
    ]
    return {
      ok: findings.every(({ violations }) => violations === 0),
      orders: countBy(history.fold.orders.values(), (facts) => finalStateOf(facts) ?? 'pending'),
      findings,
      undeployed,
    }
  } finally {
    await pool.end()
  }
}

/** Topics of all generations, without namespace. */
const namesOf = (generations: readonly Generation[]): string[] =>
  (generations.length > 0 ? generations : [{ number: 1 }]).flatMap(({ number }) =>
    topics.map(({ name }) => inGeneration(name, number)),
  )

/** Groups with the topics of every generation since they were deployed. */
async function readGroupsOfAll(
  pool: Pool,
  config: Config,
  generations: readonly Generation[],
): Promise<{ groups: Group[]; undeployed: string[] }> {
  const past = generations.slice(0, -1)
  const all = await readGroups(config, [...past.map(({ number }) => number), config.generation])
  const { deployed, undeployed } = await deployedOf(pool, all)
  if (past.length === 0) return { groups: deployed, undeployed }
  const numbers = new Map(deployed.map((group) => [group.name, new Set([config.generation])]))
  for (const { name, schema } of deployed)
    for (const topic of await readTopics(pool, schema)) numbers.get(name)?.add(generationOf(topic))
  const groups = deployed.map((group) => ({
    ...group,
    topics: new Set([...group.topics].filter((topic) => numbers.get(group.name)?.has(generationOf(topic)))),
  }))
  return { groups, undeployed }
}

/** While work is in flight, accounts read at different moments may differ for that reason alone. */
const settled = (moving: readonly string[], halts: readonly string[], held: readonly string[]): Finding =>
  judge('settled', 'no work is in flight', (report) => {
    for (const sentence of held) report(sentence, true)
    for (const part of moving) report(`${part}; the accounts below may have been read at different moments`)
    for (const halt of halts) report(`${halt}; npm run lanes -- resume`, true)
    return moving.length === 0 ? 'all ledgers at the end, outboxes and calls empty' : 'work is still in flight'
  })

/** Records that no consumer can read yet are no work of the pipeline, but the operator should know of them. */
async function heldBack(kafka: Kafka, namespace: string, names: readonly string[]): Promise<string[]> {
  const topicsOnBroker = names.map((name) => `${namespace}${name}`)
  const ranges = await offsetRanges(kafka, topicsOnBroker)
  const places = [...ranges].flatMap(([topic, partitions]) => partitions.map((_, partition) => ({ topic, partition })))
  const open = await readOpenTransactions(kafka, places)
  return open.map((each) => openTransaction({ ...each, topic: each.topic.slice(namespace.length) }))
}
