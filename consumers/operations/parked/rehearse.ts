import { describeError, TallyError } from '../../../infra/errors.ts'
import { isDataError } from '../../../infra/postgres/sqlstates.ts'
import { rolledBack } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { UnnumberedEvent } from '../../../producers/outbox/outbox-table.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import type { NewCall, NewTimer, Refusal, Retry } from '../../runtime/model.ts'
import { recordChanges } from '../record-changes.ts'
import type { RowChange } from '../record-changes.ts'
import { applyBatch } from '../../runtime/batch/apply-batch.ts'
import { writtenRows, writtenSince } from '../written-rows.ts'
import type { TableChange } from '../written-rows.ts'
import { readQueue } from './list-parked.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { readRetries } from '../../runtime/batch/read-retries.ts'
import { stillParked } from '../../runtime/tables/retry-table.ts'
import { lockLaneByHand } from './selection.ts'

/** One parked event, as it would go. */
export interface RehearsedEvent {
  readonly id: number
  readonly type: string | null
  readonly outcome: 'HANDLED' | 'DUPLICATE' | Refusal['reason']
  readonly error?: string
  readonly events: readonly Pick<UnnumberedEvent, 'eventId' | 'topic' | 'key' | 'value'>[]
  readonly calls: readonly NewCall[]
  readonly timers: readonly NewTimer[]
}

/** What redriving one key would do. Nothing of it has happened. */
export interface Rehearsal {
  readonly lane: number
  readonly key: string
  /** In order, up to the first that fails. */
  readonly events: readonly RehearsedEvent[]
  /** Parked events of the key that would go on waiting behind the one that fails, or were too many to rehearse. */
  readonly left: number
  /** The consumer's own rows of the keys concerned. */
  readonly states: readonly RowChange[]
  /** Rows shared with other keys, such as stock. */
  readonly shared: readonly RowChange[]
  /** Rows of every table of the group that would be written. */
  readonly tables: readonly TableChange[]
}

export interface RehearseOptions<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Codec
  partitions: number
  /** Changes the rows as they are read: what an edit would make of them. */
  asIf?(row: ParkedRow): ParkedRow
}

const atMost = 100
const policy = { retryLimit: 0, retryFirstMs: 0, parkedLimit: Number.POSITIVE_INFINITY }
const breaker = { objection: () => undefined, record: () => {} }

/**
 * Handles the parked events of a key in their order, with the code, the schemas and the rows of now, in a transaction that is
 * rolled back. Nothing is published and nobody is called. The lane's owner waits meanwhile; a lane that does not come free
 * within two seconds is not rehearsed.
 * @throws TallyError PRECONDITION_FAILED if the events change meanwhile; database errors as they come
 */
export async function rehearseKey<State, Row>(
  lane: number,
  key: string,
  { definition, pool, codec, partitions, asIf = (row) => row }: RehearseOptions<State, Row>,
): Promise<Rehearsal> {
  const queue = await readQueue(pool, lane, key, atMost + 1)
  // Schemas are fetched here, not while the lane's row is locked
  const { inputs: retries } = await readRetries(queue.slice(0, atMost).map(asIf), { codec, partitions })
  const types = new Map(queue.map(({ id, type }) => [id, type]))
  const run = (count: number) =>
    rolledBack(pool, async (tx) => {
      await tx.query(`set local lock_timeout = '2s'`)
      const own = { lane, epoch: await lockLaneByHand(tx, lane) }
      const still = await stillParked(tx, lane, retries)
      if (still.size < retries.length)
        throw new TallyError('PRECONDITION_FAILED', `the parked events of ${key} have just changed: rehearse again`)
      const recorder = recordChanges(definition)
      const before = await writtenRows(tx)
      const events: RehearsedEvent[] = []
      for (const retry of retries.slice(0, count)) {
        const context = {
          definition: recorder.definition,
          pool,
          codec,
          breaker,
          policy,
          owner: 'rehearsal',
          generation: 1,
        }
        const attempt = await attemptOne(tx, () => applyBatch(tx, context, own, { source: 'parked', inputs: [retry] }))
        events.push({ ...attempt, id: retry.parkedId, type: typeOf(retry) ?? types.get(retry.parkedId) ?? null })
        if (attempt.outcome !== 'HANDLED' && attempt.outcome !== 'DUPLICATE') break
      }
      const broken = events.at(-1)?.outcome === 'REFUSED_BY_DATABASE'
      return { events, broken, recorder, tables: broken ? [] : writtenSince(before, await writtenRows(tx)) }
    })
  let result = await run(retries.length)
  if (result.broken) {
    // The transaction is of no use any more: once more without the one the database refuses
    const refused = result.events.slice(-1)
    result = await run(result.events.length - 1)
    result.events.push(...refused)
  }
  const { events, recorder, tables } = result
  const done = events.filter(({ outcome }) => outcome === 'HANDLED' || outcome === 'DUPLICATE').length
  return { lane, key, events, left: queue.length - done, states: recorder.states(), shared: recorder.shared(), tables }
}

const typeOf = ({ input }: Retry): string | undefined => (input.source === 'record' ? input.event?.type : input.kind)

type Applied = Awaited<ReturnType<typeof applyBatch>>

async function attemptOne(tx: Tx, apply: () => Promise<Applied>): Promise<Omit<RehearsedEvent, 'id' | 'type'>> {
  const nothing = { events: [], calls: [], timers: [] }
  try {
    const { inputs, outcome } = await apply()
    await tx.query('set constraints all immediate') // What would be refused at the commit is refused now
    const [failure] = outcome.parked
    if (failure) return { outcome: failure.reason, error: failure.error, ...nothing }
    const { events, calls, timers } = outcome
    return { outcome: inputs.length > 0 ? 'HANDLED' : 'DUPLICATE', events, calls, timers }
  } catch (error) {
    if (!isDataError(error)) throw error
    return { outcome: 'REFUSED_BY_DATABASE', error: describeError(error), ...nothing }
  }
}
