import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { consumerFolders } from '../../runtime/load-consumer.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { schemaExists } from '../replay/rebuild/tables-aside.ts'
import { replaySchema } from '../replay/replay-schema.ts'
import { readOpenReplay } from '../replay/run/replay-table.ts'
import { endItFirst, lockTarget } from '../replay/run/target-lock.ts'
import type { Config } from '../../../infra/config.ts'
import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { topics } from '../../../schemas/topics.ts'
import { commandLogger } from '../../../infra/kafka/command-client.ts'
import { explainFailure } from '../../../infra/explain-failure.ts'
import { readGroups } from '../groups.ts'
import { countRows, findGroup, findOrphans, lostWith } from './orphans.ts'
import type { OrphanGroup, Orphans } from './orphans.ts'
import { askForReplicas, replicasOf, requireStack } from './running-stack.ts'

export interface RemoveOptions {
  config: Config
  kafka: Kafka
  /** As `openForRemoval` makes it. */
  pool: Pool
  consumer: string
  /** Remove it although it has unpublished events and unanswered calls. */
  giveUp: boolean
  withinMs: number
  /** Called with what will be removed; if it returns false, nothing is done. */
  agreed(orphans: Orphans): Promise<boolean>
  signal: AbortSignal
}

/** Connections that see the replays, with time limits long enough to count and drop a large inbox. */
export const openForRemoval = (config: Config): Pool =>
  createPool({
    url: config.postgres.url,
    schema: replaySchema(config.namespace),
    name: 'tally-scale',
    statementWithinMs: 3_600_000,
    log: commandLogger('scale', config),
  })

/**
 * Removes a consumer from a running stack with all its objects on the servers: stops its replicas, deletes its group
 * and drops its schema and those its rebuilds left. No replay of it can begin meanwhile. After an interruption it can
 * be repeated.
 * @returns what was removed; undefined if the operator did not agree
 * @throws TallyError PRECONDITION_FAILED if it must stay; UNREACHABLE if a server fails: nothing was dropped then, and
 *   its replicas are as before unless the message says otherwise
 */
export async function removeConsumer(options: RemoveOptions): Promise<Orphans | undefined> {
  const { config, kafka, pool, consumer, withinMs, agreed, signal } = options
  const replicas = replicasOf(await requireStack(config.dataDir), consumer).length
  await refuseIfRead(config, consumer)
  await refuseIfReplayed(pool, consumer)
  await using lock = await lockTarget(pool, consumer)
  await refuseIfReplayed(pool, consumer) // It may have begun, and been stopped, just before

  const found = await findOrphans(config, kafka, pool, consumer)
  const { schema, aside } = found
  if (replicas === 0 && !schema && !found.group && aside.length === 0) throw new TallyError('USAGE', unknown(consumer))
  if (!(await agreed(found))) return undefined
  signal.throwIfAborted()

  const ask = (count: number) =>
    askForReplicas(config.dataDir, { replicas: { [consumer]: count }, startWithinMs: withinMs })
  if (replicas > 0) await ask(0)
  try {
    const group = await whenDeserted(options)
    if (schema) await refuseIfAwaited(options, schema)
    signal.throwIfAborted()
    if (group) await withAdmin(kafka, (admin) => admin.deleteGroups([group.id])) // Refused if a member has joined meanwhile
    const schemas = schema ? [schema, ...aside] : aside
    if (schemas.length > 0)
      await lock.connection.query(`drop schema if exists ${schemas.map(quoteIdentifier).join(', ')} cascade`)
    return found
  } catch (error) {
    if (replicas === 0) throw error
    const told = await haveReplicasBack(options, schema, () => ask(replicas))
    const { sentence } = explainFailure(error, () => config)
    throw new TallyError(isTallyError(error) ? error.code : 'UNREACHABLE', `${sentence}. ${told}`, { cause: error })
  }
}

const unknown = (consumer: string): string =>
  consumerFolders().includes(consumer)
    ? `${consumer} has never run: there is nothing to remove`
    : `No consumer "${consumer}": there are ${consumerFolders().join(', ')}`

/** Other consumers wait for its events and would wait for ever. */
async function refuseIfRead(config: Config, consumer: string): Promise<void> {
  const written = topics.filter(({ writtenBy }) => writtenBy === consumer).map(({ name }) => name)
  const groups = await readGroups(config)
  const readers = groups.filter(
    ({ name, topics: read }) => name !== consumer && written.some((topic) => read.has(topic)),
  )
  if (readers.length === 0) return
  const names = readers.map(({ name }) => name).join(', ')
  throw new TallyError('PRECONDITION_FAILED', `${consumer} must stay: ${names} read what it writes`)
}

/**
 * Without its consumer a replay can be neither resumed nor cancelled, and an open one keeps the partitions as they are.
 */
async function refuseIfReplayed(pool: Pool, consumer: string): Promise<void> {
  const open = await readOpenReplay(pool, consumer)
  if (open) throw new TallyError('PRECONDITION_FAILED', endItFirst(open))
}

/**
 * A replica that was killed is counted in until its session ends.
 * @returns its group; null if there is none
 * @throws TallyError PRECONDITION_FAILED if there are members that this stack cannot end
 */
async function whenDeserted({ config, kafka, consumer, signal }: RemoveOptions): Promise<OrphanGroup | null> {
  for (const deadline = performance.now() + config.kafka.sessionTimeoutMs + 2_000; ; ) {
    const group = await findGroup(kafka, `${config.namespace}${consumer}`)
    if (!group?.members) return group
    if (performance.now() > deadline)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `${consumer} still has ${group.members} replicas that this stack did not start: stop them first`,
      )
    await delay(250, undefined, { signal })
  }
}

/** Events and calls that exist only in its tables. @throws TallyError PRECONDITION_FAILED */
async function refuseIfAwaited({ pool, consumer, giveUp }: RemoveOptions, schema: string): Promise<void> {
  if (giveUp) return
  const { unsent, unanswered } = lostWith(await countRows(pool, schema, ['outbox_batch', 'call']))
  if (unsent + unanswered === 0) return
  throw new TallyError(
    'PRECONDITION_FAILED',
    `${consumer} has ${unsent} events to publish and ${unanswered} calls without an answer: wait for them, or add --give-up to lose them`,
  )
}

/** Restarts the replicas that were stopped. @returns a sentence with the result */
async function haveReplicasBack(
  { pool, consumer }: RemoveOptions,
  schema: string | null,
  start: () => Promise<unknown>,
): Promise<string> {
  try {
    // The answer to the drop may be what was lost: without its tables a replica would start from the beginning
    if (schema !== null && !(await schemaExists(pool, schema)))
      return `The tables of ${consumer} are gone: remove it again to have the rest gone, too`
    await start()
    return 'Nothing was removed, its replicas run as before'
  } catch (error) {
    return `Its replicas have ended and are not back: ${describeError(error)}`
  }
}
