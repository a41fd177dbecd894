import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { measureGaps } from '../../consumers/runtime/testing/measure-gaps.ts'
import { describeError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka/client.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import type { Mishap } from './fault-plan.ts'
import { inject } from './inject.ts'
import type { Scene } from './inject.ts'
import type { Recovery } from './recovery.ts'

/** The group to watch: it reads every order, so its lanes always have work. */
const group = 'payment'
/** What embedded brokers need until each partition has a new leader: an election of the controller, then a broker's session. */
const takeoverMs = 6_000

/**
 * Hits one of several brokers. The other brokers continue, so the recovery time is the longest time for which a lane kept one
 * position.
 */
export async function loseBroker(mishap: Extract<Mishap, { kind: 'broker' }>, scene: Scene): Promise<Recovery> {
  const { postgres, kafka } = scene.stack.config
  const pool = createPool({
    url: postgres.url,
    schema: schemaName('', group),
    name: 'chaos gaps',
    max: 1,
    log: silentLogger,
  })
  const began = performance.now()
  try {
    await untilWhole(scene)
    const gaps = await measureGaps(pool, scene.partitions, async (moving) => {
      await moving()
      await inject(mishap, scene)
      await moving()
    })
    const [lane, longest] = [...gaps].toSorted(([, a], [, b]) => b - a)[0] ?? [0, 0]
    const late = longest > Math.max(kafka.sessionTimeoutMs, takeoverMs) + 5_000
    return { tookMs: longest, stuck: late ? [`${group}/${lane} was paused for ${(longest / 1_000).toFixed(1)} s`] : [] }
  } catch (error) {
    return { tookMs: performance.now() - began, stuck: [describeError(error)] }
  } finally {
    await pool.end()
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
