import type { KafkaMessage } from 'kafkajs'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import type { AnswerInput, Batch, Ownership, TimerInput } from '../model.ts'
import type { ParkedRow } from '../tables/parked-row.ts'
import { readRecords } from './read-records.ts'
import { readRetries } from './read-retries.ts'
import { processOrSplit } from './split-batch.ts'
import type { RequestOutcome, SplitOptions } from './split-batch.ts'

/** Items for a lane to process in one batch. They are decoded only when it is their turn. */
export type Request = {
  /** Name of its first item; the same whenever that item is requested again. */
  readonly name: string
} & (
  | {
      readonly source: 'record'
      readonly items: readonly KafkaMessage[]
      /** Offsets the request covers: `[from, to)`. */
      readonly from: number
      readonly to: number
      /** Without namespace. */
      readonly topic: string
      /** The broker's id of the topic, if known. */
      readonly topicId?: string
      readonly partition: number
      /** A redelivery: the lane has processed these offsets before. */
      readonly again: boolean
    }
  | { readonly source: 'parked'; readonly items: readonly ParkedRow[] }
  | { readonly source: 'answer'; readonly items: readonly AnswerInput[] }
  | { readonly source: 'timer'; readonly items: readonly TimerInput[] }
)

/** Inputs of one source are processed in order: those of a topic (its name), answers, and so on. */
export function sourceOf(of: Request | Batch): string {
  if ('topic' in of) return of.topic
  return 'move' in of ? of.move.topic : of.source
}

/** Restrictions on the processing of a request. */
export interface Attempt {
  /** In a transaction of its own, not in a group with other lanes. */
  readonly alone: boolean
  /**
   * Set when the process died repeatedly while handling the only item: it is parked for this reason and not even
   * decoded.
   */
  readonly killer?: string
}

export interface RequestProcessorOptions extends Pick<SplitOptions, 'groups'> {
  fault: { isStubborn(error: unknown, source: string): boolean }
  own: Ownership
  codec: Codec
  handled: ReadonlySet<EventType>
  partitions: number
}

/** Processes the requests of one ownership of a lane: reads each, processes the batch and splits it if it fails. */
export class RequestProcessor {
  private readonly options: RequestProcessorOptions

  constructor(options: RequestProcessorOptions) {
    this.options = options
  }

  /** @throws TallyError UNREACHABLE while the registry does not answer */
  async process(request: Request, { alone, killer }: Attempt): Promise<RequestOutcome> {
    const { own, groups, fault } = this.options
    const batch = await this.read(request, killer)
    const refusal = killer === undefined ? undefined : ({ reason: 'KILLED_PROCESS', error: killer } as const)
    const isStubborn = (error: unknown) => fault.isStubborn(error, sourceOf(request))
    return processOrSplit({ own, batch, refusal }, { groups, fault: { isStubborn }, alone })
  }

  private async read(request: Request, killer?: string): Promise<Batch> {
    const { codec, handled, partitions } = this.options
    switch (request.source) {
      case 'record': {
        const { items, from, to, topic, topicId, partition, again } = request
        const options = { codec, handled, partitions, topic, topicId, partition, again, killer }
        return readRecords(items, from, to, options)
      }
      case 'parked':
        return readRetries(request.items, { codec, partitions, killer })
      case 'answer':
        return { source: 'answer', inputs: request.items }
      case 'timer':
        return { source: 'timer', inputs: request.items }
    }
  }
}
