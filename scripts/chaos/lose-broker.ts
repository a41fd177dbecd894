import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { measureGaps } from '../../consumers/runtime/testing/measure-gaps.ts'
import { describeError } from '../../infra/errors.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Mishap } from './fault-plan.ts'
import { inject } from './inject.ts'
import type { Scene } from './inject.ts'
import type { Recovery } from './recovery.ts'

/** The lanes of this group have something to do all the time: it reads every order. */
const group = 'payment'

/**
 * Hits one of several brokers. The others go on, so what counts is the longest time for which a lane stood at one position
 * from before the fault to after it.
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
    return { tookMs: longest, stuck: late ? [`${group}/${lane} stood for ${(longest / 1_000).toFixed(1)} s`] : [] }
  } catch (error) {
    return { tookMs: performance.now() - began, stuck: [describeError(error)] }
  } finally {
    await pool.end()
  }
}
