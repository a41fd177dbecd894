import { describeError, isTallyError, stackOf } from '../../../infra/errors.ts'
import { isDataError } from '../../../infra/postgres/sqlstates.ts'
import type { Batch, LaneBatch, OffsetMove } from '../model.ts'
import type { Processed } from './process-batch.ts'

/** The outcome of a request: the parts that took effect, in order, and the error that stopped the rest. */
export interface RequestOutcome<Result = Processed> {
  readonly done: readonly Result[]
  readonly failure?: { readonly error: unknown }
}

export interface SplitOptions<Result = Processed> {
  groups: { process(work: LaneBatch, alone: boolean): Promise<Result> }
  /** Whether an error that is not a data error recurs so persistently that an input may be its cause. */
  fault: { isStubborn(error: unknown): boolean }
  /** In a transaction of its own, not in a group with other lanes. */
  alone: boolean
}

/**
 * Processes a batch. If it fails because of one of its inputs, finds that input by halving, parks it and processes the
 * others. A lane that may not park all failed inputs parks as many as its limit allows; otherwise a large batch could
 * wait forever.
 */
export async function processOrSplit<Result>(
  work: LaneBatch,
  options: SplitOptions<Result>,
): Promise<RequestOutcome<Result>> {
  const { own, batch, refusal } = work
  try {
    return { done: [await options.groups.process(work, options.alone)] }
  } catch (error) {
    const failed = { done: [], failure: { error } }
    const full = isTallyError(error, 'LANE_FULL')
    const inputsFault = isDataError(error) || options.fault.isStubborn(error)
    if (refusal || !(full || inputsFault) || batch.inputs.length === 0) return failed
    if (batch.inputs.length > 1) return processHalves(splitBatch(batch), own, options)
    if (full) return failed
    return processOrSplit({ own, batch, refusal: refusedBy(error) }, options)
  }
}

const refusedBy = (error: unknown) =>
  ({ reason: 'REFUSED_BY_DATABASE', error: describeError(error), stack: stackOf(error) }) as const

/** Processes the halves one after the other: the second begins at the ledger's position after the first. */
async function processHalves<Result>(
  halves: readonly [Batch, Batch],
  own: LaneBatch['own'],
  options: SplitOptions<Result>,
): Promise<RequestOutcome<Result>> {
  const done: Result[] = []
  for (const batch of halves) {
    const outcome = await processOrSplit({ own, batch }, options)
    done.push(...outcome.done)
    if (outcome.failure) return { done, failure: outcome.failure }
  }
  return { done }
}

/**
 * Halves a batch of at least two inputs. The halves, processed in order, cover the same offsets; offsets without an
 * input count with the half they lie in.
 */
export function splitBatch(batch: Batch): readonly [Batch, Batch] {
  const middle = batch.inputs.length >> 1
  if (batch.source !== 'record') {
    const part = (start: number, end?: number) => ({ ...batch, inputs: batch.inputs.slice(start, end) }) as Batch
    return [part(0, middle), part(middle)]
  }
  const head = batch.inputs.slice(0, middle)
  const tail = batch.inputs.slice(middle)
  const { from, to, ignored, holes } = batch.move
  const cut = tail[0]?.offset ?? to
  // It is no longer known which offsets without an input were ignored records and which were holes, only how many. The
  // head counts as many ignored ones as it has room for, so the sums stay exact.
  const room = cut - from - head.length
  const headIgnored = Math.min(ignored, room)
  // The spread keeps `again`: without it the halves of a redelivery would process dropped and parked events once more
  const headMove: OffsetMove = { ...batch.move, to: cut, ignored: headIgnored, holes: room - headIgnored }
  const tailMove: OffsetMove = {
    ...batch.move,
    from: cut,
    ignored: ignored - headIgnored,
    holes: holes - (room - headIgnored),
  }
  return [
    { source: 'record', inputs: head, move: headMove },
    { source: 'record', inputs: tail, move: tailMove },
  ]
}
