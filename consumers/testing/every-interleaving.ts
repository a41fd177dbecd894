import type { CallIntent, ConsumerDefinition, Emitted, TimerIntent } from '../runtime/handler.ts'
import { handle } from './in-memory.ts'
import type { Handled, Input, Memory } from './in-memory.ts'

export interface Scenario<State, Row> {
  definition: ConsumerDefinition<State, Row>
  start: Memory<State, Row>
  key: string
  /** Events of the key by topic. Only events of one topic are ordered. */
  topics: readonly (readonly Emitted[])[]
  /** The answer of the outside world to a call. */
  answer?: (call: CallIntent) => object
}

/**
 * The result: the state of the consumer, and all its events, calls and timers in order. Withdrawn timers fire here all the
 * same: those of older versions are never withdrawn.
 */
export type Ending<State, Row> = Omit<Handled<State, Row>, 'withdraw'>

/** What is in flight: events by topic, calls without an answer, timers that are not due. */
interface Pending {
  readonly topics: Scenario<unknown, unknown>['topics']
  readonly calls: readonly CallIntent[]
  readonly timers: readonly TimerIntent[]
}

/** Every order in which the events, the resulting answers and the resulting timers can arrive. */
export function* everyInterleaving<State, Row>(scenario: Scenario<State, Row>): Generator<Ending<State, Row>> {
  const past = { memory: scenario.start, events: [], calls: [], timers: [] }
  yield* from(scenario, past, { topics: scenario.topics, calls: [], timers: [] })
}

function* from<State, Row>(
  scenario: Scenario<State, Row>,
  past: Ending<State, Row>,
  pending: Pending,
): Generator<Ending<State, Row>> {
  const { definition, key, answer = () => ({}) } = scenario
  const { topics, calls, timers } = pending
  const after = (input: Input, left: Partial<Pending>) => {
    const next = handle(definition, past.memory, input)
    const rest = { ...pending, ...left }
    return from(
      scenario,
      {
        memory: next.memory,
        events: [...past.events, ...next.events],
        calls: [...past.calls, ...next.calls],
        timers: [...past.timers, ...next.timers],
      },
      { ...rest, calls: [...rest.calls, ...next.calls], timers: [...rest.timers, ...next.timers] },
    )
  }
  if (calls.length + timers.length === 0 && topics.every((events) => events.length === 0)) yield past
  for (const [index, [next, ...rest]] of topics.entries()) {
    if (next) yield* after(next, { topics: topics.with(index, rest) })
  }
  for (const call of calls) {
    const { kind } = call
    yield* after({ key, kind, answer: answer(call) }, { calls: calls.filter((other) => other !== call) })
  }
  for (const timer of timers) {
    yield* after({ key, kind: timer.kind }, { timers: timers.filter((other) => other !== timer) })
  }
}
