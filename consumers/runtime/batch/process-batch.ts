import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { OutboxBatch } from '../../../producers/outbox/outbox-batch.ts'
import type { Batch, Input, LaneBatch, NewCall, ParkedInput } from '../model.ts'
import { applyBatches } from './apply-batch.ts'
import type { ProcessContext } from './apply-batch.ts'

/** A batch that has taken effect, and the work left to do after its commit. */
export interface Processed {
  readonly batch: Batch
  /** The inputs that were new, and those of them that were parked. */
  readonly fresh: readonly Input[]
  readonly refused: readonly ParkedInput[]
  readonly publish: readonly OutboxBatch[]
  readonly calls: readonly NewCall[]
  /** Numbers of inputs: handled, duplicates, parked. */
  readonly taken: number
  readonly duplicates: number
  readonly parked: number
}

/**
 * Processes batches of several lanes in one transaction, so that all of them take effect or none. Batches of one lane
 * are of different sources. The number of statements depends neither on the number of inputs nor on the number of lanes.
 * @returns one entry per batch, in the order of `work`
 * @throws TallyError FENCED if a lane has a newer owner, LANE_FULL or FAILING if it must not park more inputs; database
 *   errors unchanged
 */
export async function processBatches<State, Row>(
  context: ProcessContext<State, Row>,
  work: readonly LaneBatch[],
): Promise<Processed[]> {
  const applied = await inTransaction(context.pool, (tx) => applyBatches(tx, context, work))
  return applied.map(({ batch, inputs, outcome, publish }) => {
    const parked = outcome.parked.length
    if (batch.source !== 'parked') context.breaker.record(inputs.length, outcome.parked)
    const duplicates = batch.inputs.length - inputs.length
    return {
      batch,
      fresh: inputs,
      refused: outcome.parked,
      publish,
      calls: outcome.calls,
      taken: inputs.length - parked,
      duplicates,
      parked,
    }
  })
}
