/** Next offset of each partition, by topic (without namespace). */
export type TopicEnds = ReadonlyMap<string, readonly number[]>

/** How far the lanes' topics are processed. */
export interface TopicProgress {
  /** Reads the topics' ends from the broker. */
  ends(): Promise<TopicEnds>
  /** Whether a lane has processed everything below an offset. */
  processed(lane: number, topic: string, offset: number): boolean
}

interface Horizon {
  readonly timers: ReadonlySet<string>
  readonly ends: TopicEnds
}

/**
 * Decides when due timers may fire. A timer handles the case that an expected event has not arrived in time. Whether it
 * has arrived is known only when the lane has processed everything on its topics up to that time: after downtime,
 * answers and timers are both queued, and answers that arrived in time must be processed first. So a timer fires once
 * its lane has reached the ends its topics had when the timer was found due.
 */
export class TimerHorizon {
  private readonly progress: TopicProgress
  private readonly horizons = new Map<number, Horizon>()

  constructor(progress: TopicProgress) {
    this.progress = progress
  }

  /**
   * @returns those of the due timers that may fire now; call again with the others
   * @throws errors of kafkajs if no broker answers; then no timer may fire
   */
  async reached<Timer extends { id: string; lane: number }>(due: readonly Timer[]): Promise<Timer[]> {
    const byLane = Map.groupBy(due, ({ lane }) => lane)
    for (const lane of this.horizons.keys()) if (!byLane.has(lane)) this.horizons.delete(lane)
    if ([...byLane.keys()].some((lane) => !this.horizons.has(lane))) {
      const ends = await this.progress.ends()
      for (const [lane, timers] of byLane) {
        if (!this.horizons.has(lane)) this.horizons.set(lane, { timers: new Set(timers.map(({ id }) => id)), ends })
      }
    }
    return [...byLane].flatMap(([lane, timers]) => {
      const horizon = this.horizons.get(lane)
      if (!horizon || !this.isReached(lane, horizon)) return []
      this.horizons.delete(lane)
      return timers.filter(({ id }) => horizon.timers.has(id))
    })
  }

  private isReached(lane: number, { ends }: Horizon): boolean {
    return [...ends].every(([topic, offsets]) => this.progress.processed(lane, topic, offsets[lane] ?? 0))
  }
}
