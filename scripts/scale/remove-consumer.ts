import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { consumerFolders } from '../../consumers/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka.ts'
import type { Pool } from '../../infra/postgres.ts'
import { topics } from '../../schemas/topics.ts'
import { readGroups } from '../verify/database.ts'
import { findOrphans, lostWith } from './orphans.ts'
import type { Orphans } from './orphans.ts'
import { askForReplicas, replicasOf, requireStack } from './running-stack.ts'

export interface RemoveOptions {
  config: Config
  kafka: Kafka
  pool: Pool
  consumer: string
  /** Remove it although it has events nobody published and calls nobody answered. */
  giveUp: boolean
  withinMs: number
  /** Shown what will be gone; false: nothing is done. */
  agreed(orphans: Orphans): Promise<boolean>
  signal: AbortSignal
}

/**
 * Removes a consumer from a running stack with all it has on the servers: stops its replicas, deletes its group and drops its
 * schema. Killed on the way, it can be repeated.
 * @returns what was removed; undefined if the person did not agree
 * @throws TallyError USAGE when it must stay: its replicas are then as before
 */
export async function removeConsumer(options: RemoveOptions): Promise<Orphans | undefined> {
  const { config, kafka, pool, consumer, giveUp, withinMs, agreed, signal } = options
  const replicas = replicasOf(await requireStack(config.dataDir), consumer).length
  const found = await findOrphans(config, kafka, pool, consumer)
  if (replicas === 0 && !found.schema && !found.group) throw new TallyError('USAGE', unknown(consumer))
  await refuseIfRead(config, consumer)
  if (!(await agreed(found))) return undefined

  const ask = (count: number) =>
    askForReplicas(config.dataDir, { replicas: { [consumer]: count }, startWithinMs: withinMs })
  if (replicas > 0) await ask(0)
  const left = await whenDeserted(options, signal)
  const objection = objectionTo(consumer, left, giveUp)
  if (objection) {
    if (replicas > 0) await ask(replicas)
    throw new TallyError('USAGE', `${objection}. Nothing was removed, its replicas run as before`)
  }
  const { group, schema } = left
  if (group) await withAdmin(kafka, (admin) => admin.deleteGroups([group.id]))
  if (schema) await pool.query(`drop schema "${schema}" cascade`)
  return left
}

const unknown = (consumer: string): string =>
  consumerFolders().includes(consumer)
    ? `${consumer} has never run: there is nothing to remove`
    : `No consumer "${consumer}": there are ${consumerFolders().join(', ')}`

/** Others wait for its events: without them they would stand still for ever. */
async function refuseIfRead(config: Config, consumer: string): Promise<void> {
  const written = topics.filter(({ writtenBy }) => writtenBy === consumer).map(({ name }) => name)
  const groups = await readGroups(config)
  const readers = groups.filter(
    ({ name, topics: read }) => name !== consumer && written.some((topic) => read.has(topic)),
  )
  if (readers.length === 0) return
  const names = readers.map(({ name }) => name).join(', ')
  throw new TallyError('USAGE', `${consumer} must stay: ${names} read what it writes`)
}

/** A replica that was killed is counted in until its session ends. */
async function whenDeserted({ config, kafka, pool, consumer }: RemoveOptions, signal: AbortSignal): Promise<Orphans> {
  for (const deadline = performance.now() + config.kafka.sessionTimeoutMs + 2_000; ; ) {
    const left = await findOrphans(config, kafka, pool, consumer)
    if (!left.group?.members || performance.now() > deadline) return left
    await delay(250, undefined, { signal })
  }
}

function objectionTo(consumer: string, left: Orphans, giveUp: boolean): string | undefined {
  if (left.group?.members)
    return `${consumer} still has ${left.group.members} replicas that this stack did not start: stop them first`
  const { unsent, unanswered } = lostWith(left)
  if (giveUp || unsent + unanswered === 0) return undefined
  return `${consumer} has ${unsent} events to publish and ${unanswered} calls without an answer: wait for them, or add --give-up to lose them`
}
