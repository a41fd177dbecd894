import { counts, timer } from '../../infra/monitor/meters.ts'
import type { Meter } from '../../infra/monitor/meters.ts'
import { lastMs } from '../../infra/monitor/tracer.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import { Trouble } from '../../infra/monitor/trouble.ts'
import { countEvents } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'
import { PublishSpans } from './publish-spans.ts'

/** The unpublished events of a lane in memory. */
export interface WaitingEvents {
  readonly events: number
  /** When the oldest was written, epoch ms; undefined if there is none. */
  readonly oldest: number | undefined
}

/** Times the requests of a relay and knows since when none succeeds. */
export class PublishWatch {
  private readonly trouble = new Trouble()
  private readonly time: ReturnType<typeof timer>
  private readonly size: (events: number) => void

  private readonly spans: PublishSpans | undefined

  constructor(meter: Meter, tracer?: Tracer) {
    this.spans = tracer && new PublishSpans(tracer)
    this.time = timer(meter, 'tally_publish_duration_seconds', 'Duration of requests that publish events', ['outcome'])
    this.size = meter.histogram('tally_publish_events', 'Events published by one request', counts)
  }

  published(batches: readonly OutboxBatch[], ms: number): void {
    this.trouble.passed()
    this.time(ms, { outcome: 'acknowledged' })
    this.size(countEvents(batches))
    const { startMs, endMs } = lastMs(ms)
    this.spans?.published(batches, startMs, endMs)
  }

  failed(error: unknown, ms: number): void {
    this.trouble.failed(error, ms)
    this.time(ms, { outcome: 'failed' })
  }

  /** Why events are not published now; undefined if they are. */
  report(): string | undefined {
    return this.trouble.report()
  }
}

/** Reads the outbox in memory whenever metrics are collected. @returns a function that ends the reading */
export const observeOutbox = (meter: Meter, waiting: () => readonly WaitingEvents[]): (() => void) =>
  meter.observe(
    {
      tally_outbox_waiting_events: ['Events in memory that are not published yet; further ones may wait in the table'],
      tally_outbox_age_seconds: ['Age of the oldest event that is not published yet'],
    },
    (report) => {
      const lanes = waiting()
      const oldest = Math.min(...lanes.map((lane) => lane.oldest ?? Number.POSITIVE_INFINITY))
      report(
        'tally_outbox_waiting_events',
        lanes.reduce((sum, { events }) => sum + events, 0),
      )
      report('tally_outbox_age_seconds', Number.isFinite(oldest) ? Math.max(0, Date.now() - oldest) / 1_000 : 0)
    },
  )
