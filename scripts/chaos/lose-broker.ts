import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { measureGaps } from '../../consumers/runtime/testing/measure-gaps.ts'
import { describeError } from '../../infra/errors.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Mishap } from './fault-plan.ts'
import { inject } from './inject.ts'
import type { Scene } from './inject.ts'
import type { Recovery } from './recovery.ts'

/** The group to watch: it reads every order, so its lanes always have work. */
const group = 'payment'

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
    const gaps = await measureGaps(pool, scene.partitions, async (moving) => {
      await moving()
      await inject(mishap, scene)
      await moving()
    })
    const [lane, longest] = [...gaps].toSorted(([, a], [, b]) => b - a)[0] ?? [0, 0]
    const late = longest > kafka.sessionTimeoutMs + 5_000
    return { tookMs: longest, stuck: late ? [`${group}/${lane} was paused for ${(longest / 1_000).toFixed(1)} s`] : [] }
  } catch (error) {
    return { tookMs: performance.now() - began, stuck: [describeError(error)] }
  } finally {
    await pool.end()
  }
}
