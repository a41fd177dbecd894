import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { eventGenerator } from '../../producers/sample-data/event-generator.ts'
import type { Event } from '../../producers/sample-data/event-generator.ts'
import { seededRandom } from '../../producers/sample-data/seeded.ts'
import { sendAll } from '../../producers/direct/send-all.ts'
import { toKafka } from '../produce/destination.ts'

/** Orders per second at a moment, milliseconds from the beginning. */
export type LoadCurve = (atMs: number) => number

/** The load ends here, as a share of the time; what is left shows how it is calm again. */
const loadedShare = 0.65
const stepMs = 2_000

/** A load that rises to its peak and falls, two or three times, unevenly. The same seed gives the same curve. */
export function loadCurve(seed: number, peak: number, durationMs: number): LoadCurve {
  const random = seededRandom('load', seed)
  const count = random.int(2, 3)
  const hills = Array.from({ length: count }, (_, index) => ({
    at: (index + 0.5 + (random.next() - 0.5) * 0.3) / count,
    height: 0.4 + 0.6 * random.next(),
    width: (0.2 + 0.15 * random.next()) / count,
  }))
  const highest = Math.max(...hills.map(({ height }) => height))
  const steps = Array.from({ length: Math.ceil(durationMs / stepMs) }, () => 0.9 + 0.2 * random.next())
  return (atMs) => {
    const x = atMs / (durationMs * loadedShare)
    if (x < 0 || x >= 1) return 0
    const shape = Math.max(...hills.map(({ at, height, width }) => height * Math.exp(-(((x - at) / width) ** 2))))
    return peak * Math.max(0.05, shape / highest) * (steps[Math.floor(atMs / stepMs)] ?? 1)
  }
}

export interface LoadOptions {
  config: Config
  curve: LoadCurve
  durationMs: number
  signal: AbortSignal
}

/**
 * Publishes orders as the curve says, whatever becomes of them. The orders are new ones each time.
 * @returns how many
 */
export async function produceLoad({ config, curve, durationMs, signal }: LoadOptions): Promise<number> {
  const destination = await toKafka(config, ['OrderPlaced'], signal)
  const generate = eventGenerator('OrderPlaced', randomInt(2 ** 31))
  try {
    const { send, maxOutstanding } = destination
    return await sendAll(due(generate, curve, durationMs, signal), send, { maxOutstanding, signal })
  } finally {
    await destination.stop()
  }
}

const tickMs = 50

async function* due(
  generate: (index: number) => Event,
  curve: LoadCurve,
  durationMs: number,
  signal: AbortSignal,
): AsyncGenerator<Event> {
  const startedAt = performance.now()
  for (let [made, wanted, at] = [0, 0, 0]; at < durationMs && !signal.aborted; ) {
    const now = performance.now() - startedAt
    wanted += (curve(at) * (now - at)) / 1_000
    at = now
    while (made < wanted) yield generate(made++)
    await delay(tickMs, undefined, { signal }).catch(() => {}) // The loop looks at the signal
  }
}
