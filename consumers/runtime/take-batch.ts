import type { Pool, Tx } from '../../infra/postgres.ts'
import { inTransaction, prepared } from '../../infra/postgres.ts'
import type { OutboxRow } from '../../producers/outbox/outbox-table.ts'
import { appendOutbox, numberEvents } from '../../producers/outbox/outbox-table.ts'
import type { Codec } from '../../schemas/codec.ts'
import { addCalls, takeAnswered } from './call-table.ts'
import type { NewCall, Outcome } from './decide.ts'
import { decide } from './decide.ts'
import type { ConsumerDefinition } from './handler.ts'
import { takeIds } from './inbox.ts'
import type { Batch, Input } from './input.ts'
import type { Ownership } from './ledger.ts'
import { lockLane, moveLedger } from './ledger.ts'
import { blockedKeys, parkInputs } from './parked-table.ts'
import { addTimers, takeFired } from './timer-table.ts'

export interface TakeContext<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Pick<Codec, 'encode'>
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
 * @param refusal set when the database refused this batch's only input: then it is parked instead of handled
 * @throws TallyError FENCED if the lane has a newer owner; database errors as they come
 */
export function takeBatch<State, Row>(
  { definition, pool, codec }: TakeContext<State, Row>,
  own: Ownership,
  batch: Batch,
  refusal?: string,
): Promise<Taken> {
  return inTransaction(pool, async (tx) => {
    const firstSeq = await lockLane(tx, own)
    const inputs = await takeNew(tx, own, batch)
    const keys = [...new Set(inputs.map((input) => input.key))]
    const blocked = await blockedKeys(tx, own.lane, keys)
    const states = await definition.state.load(tx, keys)
    const shared = await lockShared(tx, definition, inputs, states)

    const outcome = decide(inputs, { definition, codec, states, shared, blocked, refusal, now: Date.now() })

    const publish = numberEvents(outcome.events, definition.group, own.lane, firstSeq)
    await saveStates(tx, definition, outcome)
    await appendOutbox(tx, publish)
    await advanceSeq(tx, own, publish.length)
    await addCalls(tx, own.lane, outcome.calls)
    await addTimers(tx, own.lane, outcome.timers)
    await parkInputs(tx, own.lane, outcome.parked)
    const parked = outcome.parked.length
    const taken = inputs.length - parked
    const duplicates = batch.inputs.length - inputs.length
    if (batch.source === 'record') await moveLedger(tx, own, batch.move, { taken, duplicates, parked })
    return { publish, calls: outcome.calls, taken, duplicates, parked }
  })
}

/** The inputs that were not taken before: by the inbox for events, by their own row for answers and timers. */
async function takeNew(tx: Tx, { lane }: Ownership, batch: Batch): Promise<readonly Input[]> {
  if (batch.source === 'record') {
    const fresh = await takeIds(
      tx,
      batch.inputs.map((input) => input.inboxId),
    )
    // A repeat within the batch finds its id already gone from the set
    return batch.inputs.filter((input) => fresh.delete(input.inboxId))
  }
  const take = batch.source === 'answer' ? takeAnswered : takeFired
  const still = await take(
    tx,
    lane,
    batch.inputs.map((input) => input.id),
  )
  return batch.inputs.filter((input) => still.delete(input.id))
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
  if (outcome.states.size > 0) await state.save(tx, outcome.states)
  if (outcome.shared.size > 0) await shared?.save(tx, outcome.shared)
}

const advance = prepared('lane_advance', 'update lane set next_seq = next_seq + $2 where lane = $1')

async function advanceSeq(tx: Tx, { lane }: Ownership, count: number): Promise<void> {
  if (count > 0) await advance(tx, lane, count)
}
