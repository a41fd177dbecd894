/** Next offset of each partition, by topic (without namespace). */
export type TopicEnds = ReadonlyMap<string, readonly number[]>

/** What is known of the lanes' topics. */
export interface TopicProgress {
  /** Asks the broker for the topics' ends. */
  ends(): Promise<TopicEnds>
  /** Whether a lane has taken everything below an offset. */
  taken(lane: number, topic: string, offset: number): boolean
}

interface Horizon {
  readonly timers: ReadonlySet<string>
  readonly ends: TopicEnds
}

/**
 * A timer says what to do if something has not come by then. Whether it has come is known only once everything is taken
 * that lay on the lane's topics at that time: after a rest of ours answers and timers wait side by side, and answers that
 * came in time must go first. So a timer fires when its lane has reached the ends its topics had after it came due.
 */
export class TimerHorizon {
  private readonly progress: TopicProgress
  private readonly horizons = new Map<number, Horizon>()

  constructor(progress: TopicProgress) {
    this.progress = progress
  }

  /**
   * Of timers that have come due, those that may fire. The others are to be asked about again.
   * @throws kafkajs' errors when no broker answers: then none may
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
    return [...ends].every(([topic, offsets]) => this.progress.taken(lane, topic, offsets[lane] ?? 0))
  }
}
