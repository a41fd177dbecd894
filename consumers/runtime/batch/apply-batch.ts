import { TallyError } from '../../../infra/errors.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { together } from '../../../infra/postgres/together.ts'
import { countEvents, numberEvents } from '../../../producers/outbox/outbox-batch.ts'
import type { OutboxBatch } from '../../../producers/outbox/outbox-batch.ts'
import { advanceLanes, lockOwnedLanes } from '../../../producers/outbox/lane-table.ts'
import { appendOutbox } from '../../../producers/outbox/outbox-table.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { ConsumerDefinition } from '../handler.ts'
import type { Batch, Input, LaneBatch, Outcome, Ownership } from '../model.ts'
import { addCalls } from '../tables/call-table.ts'
import { moveLedger } from '../tables/ledger.ts'
import type { LedgerMove } from '../tables/ledger.ts'
import { parkInputs } from '../tables/parked-table.ts'
import type { RetryPolicy } from '../retry-policy.ts'
import { settleRetries } from '../tables/retry-table.ts'
import { addTimers, withdrawTimers } from '../tables/timer-table.ts'
import { decide, withdrawNew } from './decide.ts'
import { batchKeys, blockedIn, dedupe } from './dedupe.ts'
import type { FailureBreaker } from './failure-breaker.ts'

export interface ProcessContext<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Pick<Codec, 'encode'>
  breaker: Pick<FailureBreaker, 'objection' | 'record'>
  policy: RetryPolicy
  /** Name of this replica. */
  owner: string
  /** Generation of the topics that are written to. */
  generation: number
  /** Of traces that it keeps, what is decided names the span of this group; of others, and by default, that of the cause. */
  exporting?: Pick<Tracer, 'keeps'> | undefined
}

/** The effects of a batch within a transaction that is still open. */
export interface Applied<State, Row> extends LaneBatch {
  /** The inputs that were new. */
  readonly inputs: readonly Input[]
  readonly outcome: Outcome<State, Row>
  readonly publish: OutboxBatch[]
}

/**
 * Writes all effects of one batch in the caller's transaction. The caller commits it, or rolls it back for a dry run.
 */
export async function applyBatch<State, Row>(
  tx: Tx,
  context: ProcessContext<State, Row>,
  own: Ownership,
  batch: Batch,
): Promise<Applied<State, Row>> {
  const [applied] = await applyBatches(tx, context, [{ own, batch }])
  return applied as Applied<State, Row>
}

/**
 * Writes all effects of batches of several lanes, those of one lane in their order. Locks the lanes' rows first.
 */
export async function applyBatches<State, Row>(
  tx: Tx,
  context: ProcessContext<State, Row>,
  work: readonly LaneBatch[],
): Promise<Applied<State, Row>[]> {
  const { definition, codec, generation, exporting } = context
  const hopeless = work.every(({ refusal }) => refusal)
  const [firstSeqs, blocked, states, fresh] = await together(
    lockOwnedLanes(tx, ownershipsOf(work)),
    blockedIn(tx, work),
    hopeless ? new Map<string, State>() : definition.state.load(tx, keysOf(work)),
    dedupe(tx, work, definition.handlers),
  )
  const shared = new Map(hopeless ? [] : await lockShared(tx, definition, fresh.flat(), states))
  const now = Date.now()
  const applied: Applied<State, Row>[] = []
  const byLane = new Map<number, readonly Applied<State, Row>[]>()
  for (const [index, each] of work.entries()) {
    const inputs = fresh[index] ?? []
    const { lane } = each.own
    const { refusal } = each
    const before = byLane.get(lane) ?? []
    const behind = before.flatMap(({ outcome }) => outcome.parked.map(({ input }) => input.key))
    const keys = new Set([...(blocked[index] ?? []), ...behind])
    const outcome = decide(inputs, { definition, codec, states, shared, blocked: keys, refusal, now, exporting })
    // The next batch's handlers must see this one's effects
    for (const [key, state] of outcome.states) states.set(key, state)
    for (const [id, row] of outcome.shared) shared.set(id, row)
    for (const timer of outcome.withdrawn) for (const { outcome } of before) withdrawNew(outcome.timers, timer)
    const firstSeq = firstSeqs.get(lane) as number
    const publish = numberEvents(outcome.events, { writer: definition.group, lane, firstSeq, generation })
    firstSeqs.set(lane, firstSeq + countEvents(publish))
    const done = { ...each, inputs, outcome, publish }
    applied.push(done)
    byLane.set(lane, [...before, done])
  }
  await together(
    saveStates(tx, definition, applied),
    appendOutbox(
      tx,
      applied.flatMap(({ publish }) => publish),
    ),
    advanceLanes(
      tx,
      new Map([...byLane].map(([lane, all]) => [lane, countEvents(all.flatMap(({ publish }) => publish))])),
    ),
    addCalls(
      tx,
      applied.flatMap(({ own: { lane }, outcome }) => outcome.calls.map((call) => ({ ...call, lane }))),
    ),
    withdrawTimers(
      // Before timers are added: those of this batch stay
      tx,
      applied.flatMap(({ own: { lane }, outcome }) => outcome.withdrawn.map((timer) => ({ ...timer, lane }))),
    ),
    addTimers(
      tx,
      applied.flatMap(({ own: { lane }, outcome }) => outcome.timers.map((timer) => ({ ...timer, lane }))),
    ),
    settle(tx, context, applied),
  )
  return applied
}

/** Records the outcome of each input: parked rows, retries, ledger. */
async function settle<State, Row>(
  tx: Tx,
  { breaker, owner, policy }: ProcessContext<State, Row>,
  applied: readonly Applied<State, Row>[],
): Promise<void> {
  const judged = applied.filter(({ batch }) => batch.source !== 'chosen' && batch.source !== 'parked')
  const fault = breaker.objection(
    judged.reduce((sum, { inputs }) => sum + inputs.length, 0),
    judged.flatMap(({ outcome }) => outcome.parked),
  )
  if (fault !== undefined)
    throw new TallyError('FAILING', `most inputs fail in the same way, so none is parked: ${fault}`)
  const moves: LedgerMove[] = []
  const work: Promise<void>[] = []
  for (const { own, batch, inputs, outcome } of applied) {
    const { parked } = outcome
    if (batch.source === 'chosen') continue // The replay decides what to do about failures
    if (batch.source === 'parked') {
      work.push(settleRetries(tx, { lane: own.lane, actor: owner }, batch.inputs, inputs, parked, policy))
      continue
    }
    work.push(parkInputs(tx, own.lane, parked, policy))
    if (batch.source !== 'record') continue
    const counts = { taken: inputs.length - parked.length, parked: parked.length }
    moves.push({ own, ...batch.move, ...counts, duplicates: batch.inputs.length - inputs.length })
  }
  await together(...work, moveLedger(tx, moves))
}

/**
 * Each once. A lane that claimed itself again may have batches of two ownerships here: then the transaction is refused.
 */
const ownershipsOf = (work: readonly LaneBatch[]): Ownership[] => [
  ...new Map(work.map(({ own }) => [`${own.lane}/${own.epoch}`, own])).values(),
]

const keysOf = (work: readonly LaneBatch[]): string[] => [...new Set(work.flatMap(({ batch }) => batchKeys(batch)))]

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
  applied: readonly Applied<State, Row>[],
): Promise<void> {
  const states = new Map(applied.flatMap(({ outcome }) => [...outcome.states]))
  const rows = new Map(applied.flatMap(({ outcome }) => [...outcome.shared]))
  await together(states.size > 0 && state.save(tx, states), rows.size > 0 && shared?.save(tx, rows))
}
