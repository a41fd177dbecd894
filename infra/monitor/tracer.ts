import { randomBytes } from 'node:crypto'
import type { Attributes, HrTime } from '@opentelemetry/api'
import { SpanBudget } from './span-budget.ts'

interface Context {
  readonly traceId: string
  readonly spanId: string
}

/** Work that has ended. Times are epoch ms. */
export interface Span extends Context {
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly parentSpanId?: string
  readonly startMs: number
  readonly endMs: number
  readonly attributes?: Attributes
  /** Spans of other traces that it belongs with: the transaction that many orders share. */
  readonly links?: readonly Context[]
  /** Why it failed. */
  readonly error?: string
  /** Exported whatever the budget says: others link to it. */
  readonly shared?: true
}

export interface Tracer {
  /**
   * Whether spans of a trace are exported now (`SpanBudget`): ask before a span that costs something to make.
   * @param traceId or its last eight digits
   */
  keeps(traceId: string): boolean
  /** Whether spans of all traces are. */
  keepsAll(): boolean
  /** Exports a span in the background; drops it if the collector is too slow or its trace is not kept. Never throws. */
  record(span: Span): void
}

export const newSpanId = (): string => randomBytes(8).toString('hex')
export const newTraceId = (): string => randomBytes(16).toString('hex')

/** Spans in memory at most, and how often they are sent. */
const limits = { maxQueueSize: 20_000, maxExportBatchSize: 2_000, scheduledDelayMillis: 1_000 }
const kinds = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const

/**
 * Exports spans by OTLP/HTTP to the collector that the variables `OTEL_EXPORTER_OTLP_…` name. Spans are recorded when
 * they have ended: nothing is kept for them meanwhile, and a process that dies leaves none half open. The packages are
 * loaded here only.
 */
export async function openTracer(service: string, replica: string): Promise<{ tracer: Tracer; stop(): Promise<void> }> {
  const [{ BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const processor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...limits })
  const resource = resourceFromAttributes({ 'service.name': service, 'service.instance.id': replica })
  const budget = new SpanBudget()
  const contextOf = ({ traceId, spanId }: Context) => ({ traceId, spanId, traceFlags: 1 })
  return {
    tracer: {
      keeps: (traceId) => budget.keeps(traceId),
      keepsAll: () => budget.keepsAll(),
      record({ name, kind, startMs, endMs, parentSpanId, attributes = {}, links = [], error, shared, ...own }) {
        if (!shared && !budget.keeps(own.traceId)) return
        budget.took()
        const context = contextOf(own)
        processor.onEnd({
          ...{ name, kind: kinds[kind], attributes, resource, events: [], ended: true },
          spanContext: () => context,
          parentSpanContext: parentSpanId === undefined ? undefined : contextOf({ ...own, spanId: parentSpanId }),
          startTime: hrTime(startMs),
          endTime: hrTime(endMs),
          duration: hrTime(Math.max(0, endMs - startMs)),
          status: error === undefined ? { code: 0 } : { code: 2, message: error },
          links: links.map((link) => ({ context: contextOf(link) })),
          instrumentationScope: { name: 'tally' },
          ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
        })
      },
    },
    stop: () => processor.shutdown().catch(() => {}), // The collector may be gone
  }
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)]

/** The period of `ms` milliseconds that ends now, epoch ms. */
export function lastMs(ms: number): { startMs: number; endMs: number } {
  const endMs = performance.timeOrigin + performance.now()
  return { startMs: endMs - ms, endMs }
}
