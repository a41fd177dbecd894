import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Refusal } from './decide.ts'
import type { Batch, OffsetMove } from '../model.ts'

/**
 * Takes a batch; if it fails for what one of its inputs leads to, finds that one and has it parked, and lets the others
 * through. A parking lot without room for all gets as many as it has room for: else a large batch could wait for ever.
 * @param isTheirs whether an error is an input's fault, not the moment's
 */
export async function takeOrSplit(
  batch: Batch,
  take: (batch: Batch, refusal?: Refusal) => Promise<void>,
  isTheirs: (error: unknown) => boolean,
): Promise<void> {
  try {
    await take(batch)
  } catch (error) {
    const full = isTallyError(error, 'LANE_FULL')
    if (!(full || isTheirs(error)) || batch.inputs.length === 0) throw error
    if (batch.inputs.length > 1) {
      for (const part of splitBatch(batch)) await takeOrSplit(part, take, isTheirs)
      return
    }
    if (full) throw error
    const stack = error instanceof Error ? error.stack : undefined
    await take(batch, { reason: 'REFUSED_BY_DATABASE', error: describeError(error), stack })
  }
}

/**
 * Halves a batch of at least two inputs so that the halves, taken one after the other, cover the same offsets.
 * Offsets without an input count with the half they lie in.
 */
export function splitBatch(batch: Batch): readonly [Batch, Batch] {
  const middle = batch.inputs.length >> 1
  if (batch.source !== 'record') {
    const part = (start: number, end?: number) => ({ ...batch, inputs: batch.inputs.slice(start, end) }) as Batch
    return [part(0, middle), part(middle)]
  }
  const head = batch.inputs.slice(0, middle)
  const tail = batch.inputs.slice(middle)
  const { topic, from, to, ignored, holes } = batch.move
  const cut = tail[0]?.offset ?? to
  // Which of the passed-over offsets were records of other types and which were holes is not known per offset any more:
  // the head takes as many ignored ones as it has room for. The sums stay exact.
  const room = cut - from - head.length
  const headIgnored = Math.min(ignored, room)
  const headMove: OffsetMove = { topic, from, to: cut, ignored: headIgnored, holes: room - headIgnored }
  const tailMove: OffsetMove = {
    topic,
    from: cut,
    to,
    ignored: ignored - headIgnored,
    holes: holes - (room - headIgnored),
  }
  return [
    { source: 'record', inputs: head, move: headMove },
    { source: 'record', inputs: tail, move: tailMove },
  ]
}
