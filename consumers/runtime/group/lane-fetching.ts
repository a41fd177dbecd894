import type { Consumer } from 'kafkajs'
import { describeError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'

export interface LaneFetchingOptions {
  /** Returns the current consumer; throws while there is none. */
  consumer: () => Consumer
  namespace: string
  /** Without namespace. */
  topics: readonly string[]
  log: Logger
}

/** Controls what kafkajs fetches, by lane: one partition number of every topic. */
export class LaneFetching {
  private readonly options: LaneFetchingOptions

  constructor(options: LaneFetchingOptions) {
    this.options = options
  }

  /** Pauses remain in effect after a join of the group. */
  pause(lane: number): void {
    this.tell((consumer) => consumer.pause(this.partitionsOf(lane)))
  }

  resume(lane: number): void {
    this.tell((consumer) => consumer.resume(this.partitionsOf(lane)))
  }

  /** @param topic without namespace */
  seek(topic: string, lane: number, offset: number): void {
    this.tell((consumer) => consumer.seek({ topic: this.onBroker(topic), partition: lane, offset: String(offset) }))
  }

  onBroker(topic: string): string {
    return `${this.options.namespace}${topic}`
  }

  private partitionsOf(lane: number): { topic: string; partitions: number[] }[] {
    return this.options.topics.map((topic) => ({ topic: this.onBroker(topic), partitions: [lane] }))
  }

  /** While kafkajs restarts, it belongs to no group and throws. The next join repeats the commands. */
  private tell(command: (consumer: Consumer) => void): void {
    try {
      command(this.options.consumer())
    } catch (error) {
      this.options.log.debug({ error: describeError(error) }, 'fetch command ignored: the group client is rejoining')
    }
  }
}
