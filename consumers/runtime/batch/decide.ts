import { describeError, stackOf, TallyError } from '../../../infra/errors.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { fromHeaders, toHeaders } from '../../../schemas/envelope.ts'
import { derivedEventId } from '../../../schemas/event-id.ts'
import { lastDigitsOf, traceparentOf } from '../../../schemas/trace-context.ts'
import { keyOf, topicOf } from '../../../schemas/topics.ts'
import type { ConsumerDefinition, Context, Decision } from '../handler.ts'
import type { Input, Intent, NewTimer, Outcome, Refusal, WithdrawnTimer } from '../model.ts'
import { processSpan } from '../process-span.ts'

export interface DecideOptions<State, Row> {
  definition: ConsumerDefinition<State, Row>
  codec: Pick<Codec, 'encode'>
  /** Loaded rows, by key; keys without a row are absent. */
  states: ReadonlyMap<string, State>
  shared: ReadonlyMap<string, Row>
  /** Keys that already have a parked event. */
  blocked: ReadonlySet<string>
  /** Parks all inputs for this reason instead of handling them. */
  refusal?: Refusal
  /** See `ProcessContext`. */
  exporting?: Pick<Tracer, 'keeps'> | undefined
  /** UTC epoch ms; becomes the time of the events. */
  now: number
}

/**
 * Runs the handlers over the inputs in order; pure except for the codec. Each handler sees the effects of the earlier
 * ones. If a handler throws, its input is parked and has no other effect: later inputs of the same key queue behind it,
 * all other keys continue.
 */
export function decide<State, Row>(inputs: readonly Input[], options: DecideOptions<State, Row>): Outcome<State, Row> {
  const { definition, states, refusal } = options
  const outcome: Outcome<State, Row> = {
    states: new Map(),
    shared: new Map(),
    events: [],
    calls: [],
    timers: [],
    withdrawn: [],
    parked: [],
  }
  const shared = new Map(options.shared)
  const blocked = new Set(options.blocked)
  for (const input of inputs) {
    const { key } = input
    const park = (refused: Refusal) => {
      outcome.parked.push({ input, ...refused })
      blocked.add(key)
    }
    if (blocked.has(key)) park({ reason: 'BEHIND' })
    else if (refusal) park(refusal)
    else if (input.source === 'record' && input.unreadable) park(input.unreadable)
    else {
      try {
        const state = outcome.states.get(key) ?? states.get(key) ?? definition.state.initial(key)
        const decision = handle(definition, input, state, shared)
        const effects = effectsOf(decision, input, options)
        if (decision.state !== undefined) outcome.states.set(key, decision.state)
        for (const [id, row] of decision.shared ?? []) {
          shared.set(id, row)
          outcome.shared.set(id, row)
        }
        outcome.events.push(...effects.events)
        outcome.calls.push(...effects.calls)
        for (const kind of decision.withdraw ?? []) {
          outcome.withdrawn.push({ key, kind })
          withdrawNew(outcome.timers, { key, kind })
        }
        outcome.timers.push(...effects.timers)
      } catch (error) {
        park({
          reason: 'HANDLER_FAILED',
          error: describeError(error),
          stack: stackOf(error),
        })
      }
    }
  }
  return outcome
}

/** Removes the withdrawn ones from timers that earlier inputs added and that are not stored yet. */
export function withdrawNew(timers: NewTimer[], { key, kind }: WithdrawnTimer): void {
  for (let at = timers.length - 1; at >= 0; at--)
    if (timers[at]?.key === key && timers[at]?.kind === kind) timers.splice(at, 1)
}

function handle<State, Row>(
  { group, handlers, calls, timers }: ConsumerDefinition<State, Row>,
  input: Input,
  state: State,
  shared: ReadonlyMap<string, Row>,
): Decision<State, Row> {
  const { key, cause } = input
  const context: Context = { key, eventId: cause.eventId, time: cause.time }
  const missing = (what: string) => new TallyError('INVARIANT', `${group} has no handler for ${what}`)
  switch (input.source) {
    case 'record': {
      const { event, topic, partition, offset, message } = input
      if (!event) throw missing('an event that could not be read')
      const handler = handlers[event.type]
      if (!handler) throw missing(event.type)
      const envelope = () => fromHeaders(message.headers)
      return handler(event.data as never, state, { ...context, at: { topic, partition, offset }, envelope }, shared)
    }
    case 'answer': {
      const call = calls?.[input.kind]
      if (!call) throw missing(`call ${input.kind}`)
      return call.handle(input.answer as never, state, context, shared)
    }
    case 'timer': {
      const timer = timers?.[input.kind]
      if (!timer) throw missing(`timer ${input.kind}`)
      return timer({ kind: input.kind }, state, context, shared)
    }
  }
}

/** Turns a decision into rows. Ids are hashes of group, cause and ordinal within the type, so they are reproducible. */
function effectsOf<State, Row>(
  { events = [], calls = [], timers = [] }: Decision<State, Row>,
  { key, cause }: Input,
  {
    definition: { group, calls: known = {}, timers: knownTimers = {} },
    codec,
    now,
    exporting,
  }: DecideOptions<State, Row>,
): Pick<Outcome<State, Row>, 'events' | 'calls' | 'timers'> {
  const exported = exporting?.keeps(lastDigitsOf(cause.traceparent, cause.correlationId)) ?? false
  const traceparent = exported ? traceparentOf(processSpan(group, cause)) : cause.traceparent
  const ordinals = new Map<string, number>()
  const derive = (type: string, correctedBy?: number) => {
    const ordinal = ordinals.get(type) ?? 0
    ordinals.set(type, ordinal + 1)
    return derivedEventId({ chainTime: cause.chainTime, group, causeId: cause.id, type, ordinal, correctedBy })
  }
  const intent = (family: string, kind: string): Intent => {
    const id = derive(`${family}:${kind}`) // Not changed by a correcting replay: it is the idempotency key
    return { id, key, kind, cause: { ...cause, id, traceparent } }
  }
  for (const { kind } of calls) if (!known[kind]) throw new TallyError('INVARIANT', `${group} knows no call ${kind}`)
  for (const { kind } of timers)
    if (!knownTimers[kind]) throw new TallyError('INVARIANT', `${group} knows no timer ${kind}`)
  return {
    events: events.map(({ type, data }) => {
      const id = derive(type, cause.correctedBy)
      const subject = keyOf(data)
      const headers = toHeaders({
        id,
        type,
        source: `/tally/${group}`,
        time: now,
        subject,
        correlationId: cause.correlationId,
        causationId: cause.eventId,
        traceparent,
      })
      return { eventId: id, topic: topicOf(type).name, key: subject, headers, value: codec.encode(type, data) }
    }),
    calls: calls.map(({ kind, request }) => ({ ...intent('call', kind), request })),
    timers: timers.map(({ kind, afterMs }) => {
      const { cause: own, ...timer } = intent('timer', kind)
      return { ...timer, cause: { ...own, time: now + afterMs }, afterMs }
    }),
  }
}
