import type { EventData, EventType } from '../../schemas/generated/events.ts'
import { keyOf } from '../../schemas/topics.ts'
import type { CallIntent, ConsumerDefinition, Context, Decision, Emitted } from '../runtime/handler.ts'

/** What a consumer knows: its tables, without a database. Never changed in place. */
export interface Memory<State, Row> {
  readonly states: ReadonlyMap<string, State>
  readonly shared: ReadonlyMap<string, Row>
}

/** An event, or the answer to a call of an order. */
export type Input = Emitted | { key: string; kind: string; answer: object }

export interface Handled<State, Row> {
  readonly memory: Memory<State, Row>
  readonly events: readonly Emitted[]
  readonly calls: readonly CallIntent[]
}

/** The time of every event in these tests, UTC epoch ms. */
export const now = Date.parse('2026-11-23T10:00:00Z')

export const emptyMemory: Memory<never, never> = { states: new Map<string, never>(), shared: new Map<string, never>() }

/**
 * Handles one input as the runtime does, one decision at a time. A handler sees the shared rows it has named and no
 * others, and may change only those; events of types it does not handle pass by.
 */
export function handle<State, Row>(
  definition: ConsumerDefinition<State, Row>,
  memory: Memory<State, Row>,
  input: Input,
): Handled<State, Row> {
  const key = 'type' in input ? keyOf(input.data) : input.key
  const state = memory.states.get(key) ?? definition.state.initial(key)
  const [kind, data] = 'type' in input ? [input.type, input.data] : [input.kind, input.answer]
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
  }
}

function decide<State, Row>(
  { handlers, calls }: ConsumerDefinition<State, Row>,
  input: Input,
  state: State,
  context: Context,
  rows: ReadonlyMap<string, Row>,
): Decision<State, Row> {
  if ('type' in input) return handlers[input.type]?.(input.data as never, state, context, rows) ?? {}
  const call = calls?.[input.kind]
  if (!call) throw new Error(`no call ${input.kind}`)
  return call.handle(input.answer as never, state, context, rows)
}

/** What the last of several inputs leads to. */
export const handleAll = <State, Row>(
  definition: ConsumerDefinition<State, Row>,
  start: Memory<State, Row>,
  inputs: readonly Input[],
): Handled<State, Row> =>
  inputs.reduce<Handled<State, Row>>((last, input) => handle(definition, last.memory, input), {
    memory: start,
    events: [],
    calls: [],
  })

export const event = <T extends EventType>(type: T, data: EventData[T]) => ({ type, data }) as Emitted
