import { isTallyError } from '../../../infra/errors.ts'
import { lastMs } from '../../../infra/monitor/tracer.ts'
import { counts, timer } from '../../../infra/monitor/meters.ts'
import type { Meter } from '../../../infra/monitor/meters.ts'
import { Trouble } from '../../../infra/monitor/trouble.ts'
import { isTransient } from '../../../infra/postgres/sqlstates.ts'
import type { Processed } from '../batch/process-batch.ts'
import type { LaneBatch } from '../model.ts'
import type { OrderSpans } from './order-spans.ts'

const labels = ['source', 'outcome']

type Apply = (work: readonly LaneBatch[]) => Promise<Processed[]>

/** Times the transactions of a replica, counts their inputs, and knows since when none is committed. */
export class BatchWatch {
  private readonly trouble = new Trouble()
  private readonly time: ReturnType<typeof timer>
  private readonly size: ReturnType<Meter['histogram']>
  private readonly inputs: ReturnType<Meter['counter']>

  private readonly spans: OrderSpans | undefined

  constructor(meter: Meter, spans?: OrderSpans) {
    this.spans = spans
    this.time = timer(meter, 'tally_transaction_duration_seconds', 'Duration of transactions', ['outcome'])
    this.size = meter.histogram('tally_transaction_inputs', 'Inputs processed in one transaction', counts)
    this.inputs = meter.counter('tally_inputs_total', 'Inputs by source and by what became of them', labels)
  }

  /** The same work, watched. */
  watching(apply: Apply): Apply {
    return async (work) => {
      const began = performance.now()
      try {
        const processed = await apply(work)
        const ms = performance.now() - began
        this.committed(processed, ms)
        this.spans?.processed(processed, lastMs(ms))
        return processed
      } catch (error) {
        const ms = performance.now() - began
        this.time(ms, { outcome: 'failed' })
        if (isTransient(error) && !isTallyError(error)) this.trouble.failed(error, ms)
        throw error
      }
    }
  }

  /** Why transactions are not committed now; undefined if they are. */
  report(): string | undefined {
    return this.trouble.report()
  }

  private committed(processed: readonly Processed[], ms: number): void {
    this.trouble.passed()
    this.time(ms, { outcome: 'committed' })
    let inputs = 0
    for (const { batch, taken, duplicates, parked } of processed) {
      const { source } = batch
      inputs += batch.inputs.length
      this.count(source, 'taken', taken)
      this.count(source, 'duplicate', duplicates)
      this.count(source, 'parked', parked)
      if (source === 'record') this.count(source, 'ignored', batch.move.ignored)
    }
    this.size(inputs)
  }

  private count(source: string, outcome: string, number: number): void {
    if (number > 0) this.inputs(number, { source, outcome })
  }
}
