import type { CallIntent, ConsumerDefinition, Emitted } from '../runtime/handler.ts'
import { handle } from './in-memory.ts'
import type { Handled, Memory } from './in-memory.ts'

export interface Scenario<State, Row> {
  definition: ConsumerDefinition<State, Row>
  start: Memory<State, Row>
  key: string
  /** Events of the key by topic. Order holds within a topic only. */
  topics: readonly (readonly Emitted[])[]
  /** What the outside world says to a call. */
  answer?: (call: CallIntent) => object
}

/** How it ended: what the consumer knows, all it emitted, all calls it made, in order. */
export type Ending<State, Row> = Handled<State, Row>

/** Every order in which the events, and the answers to the calls they lead to, can arrive. */
export function* everyInterleaving<State, Row>(scenario: Scenario<State, Row>): Generator<Ending<State, Row>> {
  yield* from(scenario, { memory: scenario.start, events: [], calls: [] }, scenario.topics, [])
}

function* from<State, Row>(
  scenario: Scenario<State, Row>,
  past: Ending<State, Row>,
  topics: Scenario<State, Row>['topics'],
  unanswered: readonly CallIntent[],
): Generator<Ending<State, Row>> {
  const { definition, key, answer = () => ({}) } = scenario
  const after = (input: Parameters<typeof handle>[2]): [Ending<State, Row>, readonly CallIntent[]] => {
    const { memory, events, calls } = handle(definition, past.memory, input)
    return [{ memory, events: [...past.events, ...events], calls: [...past.calls, ...calls] }, calls]
  }
  if (unanswered.length === 0 && topics.every((events) => events.length === 0)) yield past
  for (const [index, [next, ...rest]] of topics.entries()) {
    if (!next) continue
    const [ending, calls] = after(next)
    yield* from(scenario, ending, topics.with(index, rest), [...unanswered, ...calls])
  }
  for (const call of unanswered) {
    const [ending, calls] = after({ key, kind: call.kind, answer: answer(call) })
    yield* from(scenario, ending, topics, [...unanswered.filter((other) => other !== call), ...calls])
  }
}
