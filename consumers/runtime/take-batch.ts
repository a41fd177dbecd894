import { TallyError } from '../../infra/errors.ts'
import type { Pool, Tx } from '../../infra/postgres.ts'
import { inTransaction, prepared } from '../../infra/postgres.ts'
import { together } from '../../infra/together.ts'
import type { OutboxRow } from '../../producers/outbox/outbox-table.ts'
import { appendOutbox, numberEvents } from '../../producers/outbox/outbox-table.ts'
import type { Codec } from '../../schemas/codec.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { addCalls, takeAnswered } from './call-table.ts'
import type { NewCall, Outcome, Refusal } from './decide.ts'
import { decide } from './decide.ts'
import type { ConsumerDefinition } from './handler.ts'
import { takeIds } from './inbox.ts'
import type { Batch, Input, RecordInput } from './input.ts'
import type { Ownership } from './ledger.ts'
import { lockLane, moveLedger } from './ledger.ts'
import type { FailureBreaker } from './parking/failure-breaker.ts'
import { knownPlaces } from './parking/known-places.ts'
import { blockedKeys, parkInputs } from './parking/parked-table.ts'
import type { RetryPolicy } from './parking/retry-policy.ts'
import { keysAhead, settleRetries } from './parking/retry-table.ts'
import { takeRetries } from './parking/take-retries.ts'
import { addTimers, takeFired } from './timer-table.ts'

export interface TakeContext<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Pick<Codec, 'encode'>
  breaker: Pick<FailureBreaker, 'objection' | 'record'>
  policy: RetryPolicy
  /** Name of this replica. */
  owner: string
  /** Of the topics that are written. */
  generation: number
}

/** What is left to do once the batch has taken effect. */
export interface Taken {
  readonly publish: readonly OutboxRow[]
  readonly calls: readonly NewCall[]
  readonly taken: number
  readonly duplicates: number
  readonly parked: number
}

/**
 * The life of a batch. All of it takes effect in one transaction or none of it does; the number of statements does not
 * depend on the number of inputs.
 * @param refusal set when this batch's only input is known to be impossible: then it is parked instead of handled
 * @throws TallyError FENCED if the lane has a newer owner, LANE_FULL or FAILING if it must not park more; database errors
 *   as they come
 */
export async function takeBatch<State, Row>(
  context: TakeContext<State, Row>,
  own: Ownership,
  batch: Batch,
  refusal?: Refusal,
): Promise<Taken> {
  const { inputs, outcome, publish } = await inTransaction(context.pool, (tx) =>
    applyBatch(tx, context, own, batch, refusal),
  )
  const parked = outcome.parked.length
  if (batch.source !== 'parked') context.breaker.record(inputs.length, outcome.parked)
  const duplicates = batch.inputs.length - inputs.length
  return { publish, calls: outcome.calls, taken: inputs.length - parked, duplicates, parked }
}

/** Everything a batch does to the database, for a transaction that someone else commits, or rolls back to only look. */
export async function applyBatch<State, Row>(
  tx: Tx,
  { definition, codec, breaker, policy, owner, generation }: TakeContext<State, Row>,
  own: Ownership,
  batch: Batch,
  refusal?: Refusal,
): Promise<{ inputs: readonly Input[]; outcome: Outcome<State, Row>; publish: OutboxRow[] }> {
  const keys = keysOf(batch)
  const [firstSeq, blocked, states, inputs] = await together(
    lockLane(tx, own),
    batch.source === 'parked' ? keysAhead(tx, own.lane, batch.inputs) : blockedKeys(tx, own.lane, keys),
    refusal ? new Map<string, State>() : definition.state.load(tx, keys),
    takeNew(tx, own, batch, definition.handlers),
  )
  const shared = refusal ? new Map<string, Row>() : await lockShared(tx, definition, inputs, states)

  const outcome = decide(inputs, { definition, codec, states, shared, blocked, refusal, now: Date.now() })

  const publish = numberEvents(outcome.events, { writer: definition.group, lane: own.lane, firstSeq, generation })
  await together(
    saveStates(tx, definition, outcome),
    appendOutbox(tx, publish),
    advanceSeq(tx, own, publish.length),
    addCalls(tx, own.lane, outcome.calls),
    addTimers(tx, own.lane, outcome.timers),
    settle(),
  )
  return { inputs, outcome, publish }

  /** Says what became of the inputs. */
  async function settle(): Promise<void> {
    const { parked } = outcome
    if (batch.source === 'parked')
      return settleRetries(tx, { lane: own.lane, actor: owner }, batch.inputs, inputs, parked, policy)
    if (batch.source === 'chosen') return // What failed is its replay's to judge
    const fault = breaker.objection(inputs.length, parked)
    if (fault !== undefined) throw new TallyError('FAILING', `most inputs fail in one way, nothing is parked: ${fault}`)
    const taken = inputs.length - parked.length
    const duplicates = batch.inputs.length - inputs.length
    await together(
      parkInputs(tx, own.lane, parked, policy),
      batch.source === 'record' && moveLedger(tx, own, batch.move, { taken, duplicates, parked: parked.length }),
    )
  }
}

const keysOf = ({ inputs }: Batch): string[] => [
  ...new Set(inputs.map((each) => ('input' in each ? each.input : each).key)),
]

/** The inputs that were not taken before: by the inbox for events, by their own row for answers, timers and retries. */
async function takeNew(
  tx: Tx,
  { lane }: Ownership,
  batch: Batch,
  handlers: { readonly [T in EventType]?: unknown },
): Promise<readonly Input[]> {
  switch (batch.source) {
    case 'record':
      return takeFresh(tx, batch.inputs, batch.move.again)
    case 'chosen': {
      const fresh = await takeFresh(tx, batch.inputs, batch.inbox === 'honour')
      return batch.inbox === 'bypass' ? batch.inputs : fresh
    }
    case 'parked':
      return takeRetries(tx, lane, batch.inputs, handlers)
    case 'answer':
    case 'timer': {
      const ids = batch.inputs.map(({ id }) => id)
      const still = await (batch.source === 'answer' ? takeAnswered : takeFired)(tx, lane, ids)
      return batch.inputs.filter(({ id }) => still.delete(id))
    }
  }
}

async function takeFresh(tx: Tx, records: readonly RecordInput[], again = false): Promise<RecordInput[]> {
  const known = again ? await knownPlaces(tx, records) : undefined
  const inputs = known ? records.filter(({ placeId }) => !known.has(placeId())) : records
  const ids = inputs.map(({ inboxId }) => inboxId)
  const fresh = await takeIds(tx, ids)
  // A repeat within the batch finds its id already gone from the set
  return inputs.filter(({ inboxId }) => fresh.delete(inboxId))
}

async function lockShared<State, Row>(
  tx: Tx,
  { shared, state: table }: ConsumerDefinition<State, Row>,
  inputs: readonly Input[],
  states: ReadonlyMap<string, State>,
): Promise<ReadonlyMap<string, Row>> {
  if (!shared) return new Map()
  const ids = inputs.flatMap((input) => {
    const state = states.get(input.key) ?? table.initial(input.key)
    if (input.source === 'record') return input.event ? shared.ids(input.event.type, input.event.data, state) : []
    return shared.ids(input.kind, input.source === 'answer' ? input.answer : {}, state)
  })
  return ids.length === 0 ? new Map() : shared.lock(tx, [...new Set(ids)])
}

async function saveStates<State, Row>(
  tx: Tx,
  { state, shared }: ConsumerDefinition<State, Row>,
  outcome: Outcome<State, Row>,
): Promise<void> {
  await together(
    outcome.states.size > 0 && state.save(tx, outcome.states),
    outcome.shared.size > 0 && shared?.save(tx, outcome.shared),
  )
}

const advance = prepared('lane_advance', 'update lane set next_seq = next_seq + $2 where lane = $1')

async function advanceSeq(tx: Tx, { lane }: Ownership, count: number): Promise<void> {
  if (count > 0) await advance(tx, lane, count)
}
