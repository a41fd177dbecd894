import type { Batch, OffsetMove } from './input.ts'

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
