import { newSpanId, newTraceId } from '../../../infra/monitor/tracer.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import { readTraceparent, spanIdOf, traceIdOf, traceparentOf } from '../../../schemas/trace-context.ts'
import type { SpanContext } from '../../../schemas/trace-context.ts'
import type { RecordInput } from '../../runtime/model.ts'
import type { ReplayRun } from './mode.ts'

/**
 * The span in which a replay handles an event, in the trace of the event's order. It derives from both: a transaction that is
 * repeated writes the same headers.
 */
const replaySpan = (replay: number, { cause }: RecordInput): SpanContext => ({
  traceId: traceIdOf(cause.traceparent, cause.correlationId),
  spanId: spanIdOf('replay', String(replay), cause.id),
})

/** The same event, whose outgoing events and calls continue from the replay's span. */
export const continuedFrom = (replay: number, input: RecordInput): RecordInput => ({
  ...input,
  cause: { ...input.cause, traceparent: traceparentOf(replaySpan(replay, input)) },
})

/**
 * Exports what a transaction of a replay has handled: a span of its own, and one in the trace of each event's order, below the
 * span that the record's header names.
 */
export function recordReplayed(
  tracer: Tracer | undefined,
  { id, plan: { mode, group } }: Pick<ReplayRun, 'id' | 'plan'>,
  inputs: readonly RecordInput[],
  period: { readonly startMs: number; readonly endMs: number },
): void {
  if (!tracer || inputs.length === 0) return
  const shared = { traceId: newTraceId(), spanId: newSpanId() }
  const replay = { 'tally.replay': id, 'tally.replay.mode': mode, ...(group !== null && { 'tally.group': group }) }
  for (const input of inputs) {
    const { cause, key, event, topic, partition, message } = input
    if (!tracer.keeps(traceIdOf(cause.traceparent, cause.correlationId))) continue
    const parent = readTraceparent(message.headers?.['traceparent']?.toString())
    tracer.record({
      ...{ ...replaySpan(id, input), parentSpanId: parent?.spanId, links: [shared], ...period },
      ...{ name: `${mode} ${event?.type ?? 'unreadable record'}`, kind: 'consumer' },
      attributes: {
        ...{ ...replay, 'tally.order.id': key, 'tally.event.id': cause.eventId },
        ...{ 'messaging.system': 'kafka', 'messaging.destination.name': topic },
        ...{ 'messaging.destination.partition.id': String(partition), 'messaging.kafka.offset': message.offset },
      },
    })
  }
  const attributes = { ...replay, 'tally.inputs': inputs.length }
  tracer.record({ ...shared, name: `${mode} transaction`, kind: 'internal', ...period, attributes, shared: true })
}
