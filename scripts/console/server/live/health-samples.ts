import { readHealth } from '../../../../consumers/operations/lanes/read-health.ts'
import type { Health } from '../../../../consumers/operations/lanes/read-health.ts'
import type { ConsoleContext } from '../context.ts'

/** One consumer at one moment. */
export interface GroupSample {
  /** Sum of its positions. */
  readonly position: number
  /** By topic. */
  readonly positions: ReadonlyMap<string, number>
  readonly behind: number | null
  readonly behindMs: number
  readonly parked: number
}

/** The pipeline at one moment. */
export interface Sample {
  /** UTC epoch ms; and by the clock that never jumps, milliseconds. */
  readonly at: number
  readonly tickMs: number
  readonly groups: ReadonlyMap<string, GroupSample>
  /** Ends of the topics, all partitions together. */
  readonly ends: ReadonlyMap<string, number>
}

/** While nobody watches, the last hour is sampled this often, so that its charts have a beginning. */
const idleEveryMs = 30_000
const keptMs = 3_600_000
/** Pages that read at about the same time share one reading. */
const sharedMs = 1_000

/** Reads the health of all lanes for all pages, and keeps an hour of figures. */
export class HealthSamples {
  private readonly context: ConsoleContext
  private readonly timer: NodeJS.Timeout
  private reading: { startedMs: number; health: Promise<Health> } | undefined
  readonly samples: Sample[] = []

  constructor(context: ConsoleContext) {
    this.context = context
    this.timer = setInterval(() => void this.read().catch(() => {}), idleEveryMs) // The next page says what is wrong
    this.timer.unref()
  }

  /** @throws as `readHealth` */
  read(): Promise<Health> {
    const now = performance.now()
    if (this.reading && now - this.reading.startedMs < sharedMs) return this.reading.health
    const health = readHealth(this.context.config, this.context.pool).then((found) => {
      this.keep(found)
      return found
    })
    this.reading = { startedMs: now, health }
    return health
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private keep(health: Health): void {
    if (health.brokerTrouble !== undefined) return // Without ends there are no figures
    const groups = new Map(
      health.groups.map(({ group, lanes }): [string, GroupSample] => {
        const positions = new Map<string, number>()
        for (const { topics } of lanes)
          for (const { topic, position } of topics) positions.set(topic, (positions.get(topic) ?? 0) + position)
        const isKnown = lanes.every(({ behind }) => behind !== undefined)
        return [
          group,
          {
            positions,
            position: [...positions.values()].reduce((sum, each) => sum + each, 0),
            behind: isKnown ? lanes.reduce((sum, { behind = 0 }) => sum + behind, 0) : null,
            behindMs: Math.max(0, ...lanes.map(({ behindMs }) => behindMs)),
            parked: lanes.reduce((sum, { parked }) => sum + parked, 0),
          },
        ]
      }),
    )
    this.samples.push({ at: Date.now(), tickMs: performance.now(), groups, ends: endsOf(health) })
    const oldest = performance.now() - keptMs
    this.samples.splice(
      0,
      this.samples.findIndex(({ tickMs }) => tickMs >= oldest),
    )
    thin(this.samples)
  }
}

/** While pages watch, samples are taken every two seconds: those older than two minutes are thinned out. */
function thin(samples: Sample[]): void {
  const recent = performance.now() - 120_000
  for (let at = 1; at < samples.length - 1; at++) {
    const [before, each] = [samples[at - 1], samples[at]]
    if (!before || !each || each.tickMs > recent) return
    if (each.tickMs - before.tickMs < idleEveryMs - 2_000) samples.splice(at--, 1)
  }
}

function endsOf({ groups }: Health): Map<string, number> {
  const ends = new Map<string, Map<number, number>>()
  for (const { lanes } of groups)
    for (const { lane, topics } of lanes)
      for (const { topic, end = 0 } of topics) {
        const own = ends.get(topic) ?? new Map<number, number>()
        ends.set(topic, own.set(lane, end))
      }
  return new Map([...ends].map(([topic, own]) => [topic, [...own.values()].reduce((sum, end) => sum + end, 0)]))
}

/** A rate between two samples, a second; null if there are not two, or if figures went back. */
export function rateBetween(
  older: Sample | undefined,
  newer: Sample | undefined,
  figure: (sample: Sample) => number | undefined,
): number | null {
  if (!older || !newer || older === newer) return null
  const [from, to] = [figure(older), figure(newer)]
  const seconds = (newer.tickMs - older.tickMs) / 1_000
  return from === undefined || to === undefined || to < from || seconds <= 0 ? null : (to - from) / seconds
}

/** The newest sample, and one of about ten seconds before. */
export function lastTwo(samples: readonly Sample[]): [Sample | undefined, Sample | undefined] {
  const newer = samples.at(-1)
  const older = samples.findLast(({ tickMs }) => newer !== undefined && newer.tickMs - tickMs >= 8_000) ?? samples[0]
  return [older, newer]
}
