import type { KafkaMessage } from 'kafkajs'
import { openRangeReader } from '../../../../infra/kafka/read-ranges.ts'
import type { Codec } from '../../../../schemas/codec/codec.ts'
import type { ReplayContext } from '../mode.ts'
import type { Selector } from '../plan.ts'
import type { RangeSource, StretchOptions } from './read-stretches.ts'
import { matches } from './selector.ts'

/** The unread rest of a range; topic without namespace, `to` exclusive. */
export interface UnreadRange {
  readonly topic: string
  readonly partition: number
  readonly next: number
  readonly to: number
}

/**
 * Reads ranges from the broker.
 * @param bufferBytes approximate read-ahead @default as `openRangeReader`
 */
export async function openSource(
  { kafka, config: { namespace } }: Pick<ReplayContext, 'kafka' | 'config'>,
  ranges: readonly UnreadRange[],
  signal: AbortSignal,
  bufferBytes?: number,
): Promise<RangeSource & AsyncDisposable> {
  const reader = await openRangeReader({
    kafka,
    ranges: ranges
      .filter(({ next, to }) => next < to)
      .map(({ topic, partition, next, to }) => ({ topic: `${namespace}${topic}`, partition, from: next, to })),
    signal,
    bufferBytes,
  })
  return {
    next: (topic, partition) => reader.next(`${namespace}${topic}`, partition),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}

/** Applies a selector to records. */
export const choosing = (selector: Selector, codec: Codec): Pick<StretchOptions, 'learn' | 'isChosen'> => ({
  learn: (records: readonly KafkaMessage[]) =>
    codec.learn(records.map(({ value }) => codec.schemaIdOf(value)).filter((id) => id !== undefined)),
  isChosen: (message) => matches(selector, message, codec),
})
