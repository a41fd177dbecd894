import type { EventData, EventType } from '../../schemas/generated/events.ts'
import { keyOf } from '../../schemas/topics.ts'
import type { CallIntent, ConsumerDefinition, Context, Decision, Emitted, TimerIntent } from '../runtime/handler.ts'

/** The state of a consumer: its tables, without a database. Immutable. */
export interface Memory<State, Row> {
  readonly states: ReadonlyMap<string, State>
  readonly shared: ReadonlyMap<string, Row>
}

/** An event, the answer to a call of an order, or a due timer of an order. */
export type Input = Emitted | Answer | Timer

interface Answer {
  key: string
  kind: string
  answer: object
}

interface Timer {
  key: string
  kind: string
}

export interface Handled<State, Row> {
  readonly memory: Memory<State, Row>
  readonly events: readonly Emitted[]
  readonly calls: readonly CallIntent[]
  readonly timers: readonly TimerIntent[]
  readonly withdraw: readonly string[]
}

/** The time of every event in these tests, UTC epoch ms. */
export const now = Date.parse('2026-11-23T10:00:00Z')

export const emptyMemory: Memory<never, never> = { states: new Map<string, never>(), shared: new Map<string, never>() }

/**
 * Processes one input like the runtime, one decision at a time. A handler sees and may change only the shared rows that it
 * named; events of types that it does not handle are ignored.
 */
export function handle<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  memory: Memory<State, Row>,
  input: Input,
): Handled<State, Row> {
  const key = 'type' in input ? keyOf(input.data) : input.key
  const state = memory.states.get(key) ?? definition.state.initial(key)
  const [kind, data] = 'type' in input ? [input.type, input.data] : [input.kind, 'answer' in input ? input.answer : {}]
  const named = new Set(definition.shared?.ids(kind, data, state))
  const rows = new Map([...memory.shared].filter(([id]) => named.has(id)))
  const decision = decide(definition, input, state, { key, eventId: 'event', time: now }, rows)
  for (const id of decision.shared?.keys() ?? []) if (!named.has(id)) throw new Error(`${kind} changes ${id} unlocked`)
  return {
    memory: {
      states: decision.state === undefined ? memory.states : new Map(memory.states).set(key, decision.state),
      shared: new Map([...memory.shared, ...(decision.shared ?? [])]),
    },
    events: decision.events ?? [],
    calls: decision.calls ?? [],
    timers: decision.timers ?? [],
    withdraw: decision.withdraw ?? [],
  }
}

function decide<State, Row>(
  { handlers, calls, timers }: ConsumerDefinition<State, Row>,
  input: Input,
  state: State,
  context: Context,
  rows: ReadonlyMap<string, Row>,
): Decision<State, Row> {
  if ('type' in input) return handlers[input.type]?.(input.data as never, state, context, rows) ?? {}
  const { kind } = input
  const handler = 'answer' in input ? calls?.[kind]?.handle : timers?.[kind]
  if (!handler) throw new Error(`no handler for ${kind}`)
  return handler(('answer' in input ? input.answer : { kind }) as never, state, context, rows)
}

/** The result of the last of several inputs. */
export const handleAll = <State, Row>(
  definition: ConsumerDefinition<State, Row>,
  start: Memory<State, Row>,
  inputs: readonly Input[],
): Handled<State, Row> =>
  inputs.reduce<Handled<State, Row>>((last, input) => handle(definition, last.memory, input), {
    memory: start,
    events: [],
    calls: [],
    timers: [],
    withdraw: [],
  })

export const event = <T extends EventType>(type: T, data: EventData[T]) => ({ type, data }) as Emitted
