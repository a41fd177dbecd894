import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { RecordLane } from './fetched-batch.ts'
import { whyLost } from './topic-offsets.ts'
import type { TopicOffsets } from './topic-offsets.ts'

export interface PositionWatchOptions {
  offsets: Pick<TopicOffsets, 'extents' | 'settled'>
  /** Without namespace. */
  topics: readonly string[]
  log: Logger
  /** Told of the ends whenever they were read, by place (`orders/3`). */
  seen?(extents: ReadonlyMap<string, { readonly end: number }>): void
}

/**
 * Stops lanes whose next record the broker no longer has, paused ones too. Fetching alone would not notice it before a
 * further record arrives: kafkajs silently begins elsewhere.
 */
export class PositionWatch {
  private readonly options: PositionWatchOptions
  /** What was missing at the last look, by place: a single look may have asked a broker that is just becoming leader. */
  private suspects = new Map<string, string>()
  private looking = false

  constructor(options: PositionWatchOptions) {
    this.options = options
  }

  /** Compares the lanes' positions with the broker. Never rejects. */
  async look(lanes: readonly RecordLane[]): Promise<void> {
    if (this.looking) return
    this.looking = true
    try {
      await this.compare(lanes.filter(({ phase }) => phase === 'live'))
    } catch (error) {
      this.options.log.warn({ error: describeError(error) }, 'positions not compared with the broker')
    } finally {
      this.looking = false
    }
  }

  private async compare(lanes: readonly RecordLane[]): Promise<void> {
    const { offsets, topics } = this.options
    // Positions first: what the broker says later is never behind them
    const positions = lanes.flatMap((lane) =>
      topics.flatMap((topic) => {
        const position = lane.position(topic)
        return position === undefined ? [] : [{ lane, topic, position }]
      }),
    )
    if (positions.length === 0) return
    const extents = await offsets.extents(topics, this.suspects.size === 0)
    this.options.seen?.(extents)
    const suspects = new Map<string, string>()
    for (const { lane, topic, position } of positions) {
      const place = `${topic}/${lane.number}`
      const lost = (await this.whyRecreated(topic, lane.number)) ?? whyLost(place, position, extents.get(place))
      if (lost === undefined) continue
      suspects.set(place, lost)
      if (this.suspects.get(place) !== lost) continue
      await lane.turns.alone(async () => {
        if (lane.phase === 'live' && lane.position(topic) === position && !Number.isFinite(lane.end(topic)))
          lane.halt(lost)
      })
    }
    this.suspects = suspects
  }

  private async whyRecreated(topic: string, lane: number): Promise<string | undefined> {
    try {
      await this.options.offsets.settled(topic, lane)
      return undefined
    } catch (error) {
      if (!isTallyError(error, 'LANE_STOPPED')) throw error
      return error.message
    }
  }
}
