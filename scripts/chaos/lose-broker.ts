import { setTimeout as delay } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { measureGaps } from '../../consumers/runtime/testing/measure-gaps.ts'
import { describeError, TallyError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { brokerName } from '../../infra/stack/servers/kafka-server.ts'
import { signalTo } from '../../infra/stack/supervisor/process-identity.ts'
import { controllerOf, coordinatorOf, leaderOf, leadsNothing } from '../../infra/testing/brokers/roles.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import type { BrokerLoss } from './fault-plan.ts'
import type { Scene } from './inject.ts'
import type { Recovery } from './recovery.ts'

/** The group to watch: it reads every order, so its lanes always have work. */
const group = 'payment'
/** What a lane may take on top of a session, or of the time that Kafka takes for new leaders if that is longer. */
const recoveryMs = 5_000

/**
 * Hits one of several brokers. The other brokers continue, so the recovery time is the longest time for which a lane kept one
 * position.
 */
export async function loseBroker(loss: BrokerLoss, scene: Scene): Promise<Recovery> {
  const { postgres, kafka } = scene.stack.config
  const pool = createPool({
    url: postgres.url,
    schema: schemaName('', group),
    name: 'chaos gaps',
    max: 1,
    log: silentLogger,
  })
  const began = performance.now()
  let takeoverMs = 0
  try {
    await untilWhole(scene)
    const gaps = await measureGaps(pool, scene.partitions, async (moving) => {
      await moving()
      takeoverMs = await hitBroker(loss, scene)
      await moving()
    })
    const [lane, longest] = [...gaps].toSorted(([, a], [, b]) => b - a)[0] ?? [0, 0]
    const late = longest > Math.max(kafka.sessionTimeoutMs, takeoverMs) + recoveryMs
    const paused = `${group}/${lane} was paused for ${inSeconds(longest)}, Kafka had new leaders after ${inSeconds(takeoverMs)}`
    return { tookMs: longest, stuck: late ? [paused] : [] }
  } catch (error) {
    return { tookMs: performance.now() - began, stuck: [describeError(error)] }
  } finally {
    await pool.end()
  }
}

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** @returns how long Kafka took until other brokers led all partitions, milliseconds */
async function hitBroker({ how, role, forMs }: BrokerLoss, { stack, kafka, groups, random }: Scene): Promise<number> {
  const roles = {
    coordinator: () => coordinatorOf(kafka, random.pick(groups)),
    controller: () => controllerOf(stack.config.dataDir),
    leader: () => leaderOf(kafka, 'orders', 0),
  }
  const id = await roles[role]()
  const target = stack.identityOf(brokerName(id))
  if (!target) throw new TallyError('INVARIANT', `broker ${id} does not run`)
  const began = performance.now()
  signalTo(target, ({ kill: 'SIGKILL', freeze: 'SIGSTOP', roll: 'SIGTERM' } as const)[how])
  const takeover = leadsNothing(kafka, id).then(() => performance.now() - began)
  try {
    if (how === 'freeze') await Promise.all([takeover, delay(forMs)])
    return await takeover
  } finally {
    if (how === 'freeze') signalTo(target, 'SIGCONT')
  }
}

/** One broker is lost at a time: without two copies in sync Kafka accepts no record. */
const untilWhole = ({ kafka }: Scene): Promise<boolean> =>
  withAdmin(kafka, (admin) =>
    waitUntil('every partition has all its copies', async () => {
      const { topics } = await admin.fetchTopicMetadata()
      return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length))
    }),
  )
