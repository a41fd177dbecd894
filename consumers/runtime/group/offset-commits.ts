import type { Consumer } from 'kafkajs'
import { describeError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'

/** A position to commit to Kafka; `topic` as named on the broker. */
export interface Position {
  topic: string
  partition: number
  offset: number
}

/** Commits positions to Kafka for lag monitoring only. No consumer starts from these offsets. */
export class OffsetCommits {
  private readonly consumer: () => Consumer
  private readonly log: Logger
  private readonly committed = new Map<string, number>()
  private underWay = false

  constructor(consumer: () => Consumer, log: Logger) {
    this.consumer = consumer
    this.log = log
  }

  /** Commits changed positions. After a failure, lag monitoring shows an older position until the next commit. */
  async commit(positions: readonly Position[]): Promise<void> {
    const changed = positions.filter(
      ({ topic, partition, offset }) => this.committed.get(`${topic}/${partition}`) !== offset,
    )
    if (changed.length === 0 || this.underWay) return
    this.underWay = true
    try {
      await this.consumer().commitOffsets(changed.map((position) => ({ ...position, offset: String(position.offset) })))
      for (const { topic, partition, offset } of changed) this.committed.set(`${topic}/${partition}`, offset)
    } catch (error) {
      this.log.debug({ error: describeError(error) }, 'offsets not committed')
    } finally {
      this.underWay = false
    }
  }
}
