import { setTimeout as delay } from 'node:timers/promises'
import { consumerFolders } from '../../consumers/runtime/load-consumer.ts'
import { describeError } from '../../infra/errors.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { countDuplicates } from '../../consumers/runtime/tables/ledger-account.ts'
import { quoteIdentifier } from '../../infra/postgres/identifiers.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { createLogger } from '../../infra/logger.ts'
import type { Logger } from '../../infra/logger.ts'
import { ApiClient } from '../../producers/direct/api-client.ts'
import { demoCatalogue } from '../../producers/sample-data/demo-catalogue.ts'
import { seededRandom } from '../../producers/sample-data/seeded.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import { topics } from '../../schemas/topics.ts'
import { fillWarehouse } from '../demo/fill-warehouse.ts'
import { ordersWriter, readGroups } from '../../consumers/operations/groups.ts'
import { verify } from '../verify/verify.ts'
import { startBrokenStack } from './broken-stack.ts'
import type { BrokenStack } from './broken-stack.ts'
import { cleanUp, countCleanedUp } from './clean-up.ts'
import { describeMishap, faultPlan } from './fault-plan.ts'
import type { MishapKind } from './fault-plan.ts'
import { inject } from './inject.ts'
import { nothingSent, runLoad } from './load.ts'
import { readServiceLogs } from './read-logs.ts'
import { loseBroker } from './lose-broker.ts'
import { forwardSettings } from './queues/doors.ts'
import { openMailbox } from './queues/mailbox.ts'
import { readAccounts, takenFrom } from './queues/read-account.ts'
import { recover } from './recovery.ts'
import { describeHappened, hasRecovered, isRight } from './report.ts'
import type { ChaosReport, Happened } from './report.ts'

export interface ChaosOptions {
  seed: number
  /** Duration of fault injection, milliseconds. */
  forMs: number
  kinds: readonly MishapKind[]
  /** Orders per second. */
  rate: number
  replicas: number
  /** Queues through which part of the orders comes in, and to which events go out. */
  doors: readonly QueueServer[]
  /** Kafka brokers. */
  brokers: number
  portBase: number
  signal: AbortSignal
  say(line: string): void
}

const sessionTimeoutMs = 3_000
const settleWithinMs = 120_000
/** A lane or an outbox without progress for this long after a fault counts as not recovered. */
const recoverWithinMs = 60_000

/** Injects faults while orders flow, ends them, waits until the pipeline is idle, and verifies it. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, kinds, replicas, doors, brokers, portBase, signal, say } = options
  const log = createLogger('chaos', 'silent')
  const settings = {
    TALLY_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    TALLY_RETRY_FIRST_MS: '500',
    TALLY_ORDER_TIMEOUT_MS: '60000', // Short enough to end orders during the run
    ...forwardSettings(doors),
  }
  const stack = await startBrokenStack({
    ...{ portBase, brokers, replicas, doors, seed, settings, signal, say },
    smallDisk: kinds.includes('full-disk'),
  })
  try {
    const report = await breakAndProve(options, stack, log)
    if (!report.ok) stack.keep()
    return report
  } catch (error) {
    stack.keep()
    say(`Data and logs are in ${stack.config.dataDir}`)
    throw error
  } finally {
    await stack[Symbol.asyncDispose]()
  }
}

async function breakAndProve(options: ChaosOptions, stack: BrokenStack, log: Logger): Promise<ChaosReport> {
  const { seed, forMs, kinds, rate, doors, brokers, signal, say } = options
  const { config } = stack
  const { namespace, partitions } = config
  const kafka = createKafka({ servers: config.kafka, clientId: 'chaos', log })
  const pool = createPool({ url: config.postgres.url, name: 'chaos', max: 3, log })
  const groups = consumerFolders()
  const begun = performance.now()
  await using queues = new AsyncDisposableStack()
  try {
    const articles = demoCatalogue(seed)
    const apiUrl = `http://127.0.0.1:${config.ports.api}`
    const api = new ApiClient({ url: apiUrl, signal })
    for (const { sku, name, unitPriceMinor, currency } of articles)
      await api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency })
    await fillWarehouse({ config, pool, articles, seed, log, signal })
    const codec = await createCodec({ registryUrl: config.registry.url, namespace, log, signal })
    say(
      `${stack.processes.services.length} services, ${rate} orders/s, faults for ${Math.round(forMs / 1_000)} s, seed ${seed}`,
    )

    const mailboxes = await Promise.all(doors.map((door) => openMailbox(config, door)))
    for (const box of mailboxes) queues.use(box)
    const sent = nothingSent()
    const enough = new AbortController()
    const load = runLoad(
      { ...{ kafka, codec, namespace, partitions, apiUrl, mailboxes, articles, seed, rate }, signal: enough.signal },
      sent,
    )
    load.catch((error: unknown) => say(`The load stopped early: ${describeError(error)}`))
    const happened: Happened[] = []
    const watched = { kafka, pool, groups, topics: topics.map(({ name }) => name) }
    const scene = { stack, pool, groups, partitions, kafka }
    const plan = faultPlan({ seed, kinds, processes: stack.processes, queues: stack.queues, sessionTimeoutMs, brokers })
    const until = performance.now() + forMs
    for (let step = 0; performance.now() < until && !signal.aborted; step++) {
      const { afterMs, mishap, impatient } = plan.next().value
      await delay(afterMs, undefined, { signal }).catch(() => {})
      const at = performance.now()
      const random = seededRandom('chaos-scene', seed, step) // Each step has its own seed, whatever earlier steps did
      if (mishap.kind === 'broker') {
        const entry = { mishap, recovery: await loseBroker(mishap, { ...scene, random }) }
        happened.push(entry)
        say(`${((at - begun) / 1_000).toFixed(0).padStart(4)} s  ${describeHappened(entry)}`)
        continue
      }
      const done = await inject(mishap, { ...scene, random }).catch((error: unknown) => {
        say(`${describeMishap(mishap)} failed: ${describeError(error)}`) // The database may be unreachable
        return false
      })
      if (!done) continue
      const entry: Happened = {
        mishap,
        recovery: impatient ? undefined : await recover(watched, recoverWithinMs, signal),
      }
      happened.push(entry)
      say(`${((at - begun) / 1_000).toFixed(0).padStart(4)} s  ${describeHappened(entry)}`)
    }
    enough.abort()
    await load
    say(`${sent.orders} orders sent, all faults ended; waiting for in-flight work`)
    await untilHealthy(stack, signal)
    const pipeline = { kafka, pool, namespace, orders: ordersWriter(config), groups: await readGroups(config) }
    const accounting = { config, kafka, codec, pool, withinMs: settleWithinMs, signal }
    const taken = new Map(
      await Promise.all(mailboxes.map(async (box) => [box, await takenFrom(box, accounting)] as const)),
    )
    await cleanUp({ pipeline, databaseUrl: config.postgres.url, withinMs: settleWithinMs, log, signal })
    const verdict = await verify(config, { settleWithinMs, log, signal })
    const cleanedUp = await countCleanedUp(pool, pipeline)
    const accounts = await readAccounts(taken, accounting)
    return {
      ...{ command: commandOf(options), sent, happened, cleanedUp, verdict, queues: accounts, dataDir: config.dataDir },
      logs: readServiceLogs(stack.logDir),
      duplicatesDropped: await duplicates(pool, groups),
      ok: verdict.ok && happened.every(hasRecovered) && cleanedUp.left === 0 && isRight(accounts),
    }
  } finally {
    await pool.end()
  }
}

const commandOf = ({ seed, forMs, kinds, rate, replicas, doors, brokers }: ChaosOptions): string =>
  `npm run chaos -- --seed ${seed} --minutes ${forMs / 60_000} --rate ${rate} --replicas ${replicas}${doors.length > 0 ? ` --door ${doors.join(',')}` : ''}${brokers > 1 ? ` --brokers ${brokers}` : ''} --only ${kinds.join(',')}`

async function untilHealthy(stack: BrokenStack, signal: AbortSignal): Promise<void> {
  for (const until = performance.now() + settleWithinMs; !stack.healthy() && performance.now() < until; )
    await delay(200, undefined, { signal })
}

async function duplicates(pool: Pool, groups: readonly string[]): Promise<number> {
  const counts = groups.map((group) => countDuplicates(pool, quoteIdentifier(schemaName('', group))))
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
