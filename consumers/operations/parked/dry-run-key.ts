import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { UnnumberedEvent } from '../../../producers/outbox/outbox-batch.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { NewCall, NewTimer, Refusal } from '../../runtime/model.ts'
import { readRetries } from '../../runtime/batch/read-retries.ts'
import { applyBatch } from '../../runtime/batch/apply-batch.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import type { Retry } from '../../runtime/model.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { stillParked } from '../../runtime/tables/retry-table.ts'
import { dryRun } from '../dry-run.ts'
import type { WouldChange } from '../dry-run.ts'
import { tryBatch, withoutLimits } from '../try-batch.ts'
import type { Attempt } from '../try-batch.ts'
import { readQueue } from '../../runtime/tables/parked-list.ts'

/** The outcome of one parked event. */
export interface DryRunEvent {
  readonly id: number
  readonly type: string | null
  readonly outcome: 'HANDLED' | 'DUPLICATE' | Refusal['reason']
  readonly error?: string
  readonly events: readonly Pick<UnnumberedEvent, 'eventId' | 'topic' | 'key' | 'value'>[]
  readonly calls: readonly NewCall[]
  readonly timers: readonly NewTimer[]
}

/** The effects that a redrive of one key would have. Nothing was changed. */
export interface KeyDryRun extends WouldChange {
  readonly lane: number
  readonly key: string
  /** In order, up to the first that fails. */
  readonly events: readonly DryRunEvent[]
  /** Events of the key that would stay parked behind the one that fails, or that exceed the limit of a dry run. */
  readonly left: number
}

export interface DryRunKeyOptions<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Codec
  partitions: number
  /** Changes the rows as they are read: what an edit would make of them. */
  asIf?(row: ParkedRow): ParkedRow
}

const atMost = 100

/**
 * Handles the parked events of a key in their order, as a redrive would, up to 100 of them.
 * @throws TallyError BUSY if the events change meanwhile; errors of `dryRun`
 */
export async function dryRunKey<State, Row>(
  lane: number,
  key: string,
  { definition, pool, codec, partitions, asIf = (row) => row }: DryRunKeyOptions<State, Row>,
): Promise<KeyDryRun> {
  const queue = await readQueue(pool, lane, key, atMost + 1)
  // Schemas are fetched here, not while the lane's row is locked
  const { inputs: retries } = await readRetries(queue.slice(0, atMost).map(asIf), { codec, partitions })
  const types = new Map(queue.map(({ id, type }) => [id, type]))
  const { result, states, shared, tables } = await dryRun({
    pool,
    definition,
    lane,
    items: retries,
    async apply(tx, own, recorded, items) {
      const still = await stillParked(tx, lane, retries)
      if (still.size < retries.length)
        throw new TallyError('BUSY', `the parked events of ${key} have just changed: run again`)
      const context = { ...withoutLimits, definition: recorded, pool, codec, owner: 'dry run', generation: 1 }
      const events: DryRunEvent[] = []
      for (const retry of items) {
        const attempt = await tryBatch(tx, () => applyBatch(tx, context, own, { source: 'parked', inputs: [retry] }))
        const event = outcomeOf(attempt)
        events.push({ ...event, id: retry.parkedId, type: typeOf(retry) ?? types.get(retry.parkedId) ?? null })
        if ('refused' in attempt) return { result: events, refused: items.slice(items.indexOf(retry)) }
        if (event.outcome !== 'HANDLED' && event.outcome !== 'DUPLICATE') break
      }
      return { result: events, refused: [] }
    },
  })
  const done = result.filter(({ outcome }) => outcome === 'HANDLED' || outcome === 'DUPLICATE').length
  return { lane, key, events: result, left: queue.length - done, states, shared, tables }
}

const typeOf = ({ input }: Retry): string | undefined => (input.source === 'record' ? input.event?.type : input.kind)

function outcomeOf<State, Row>(attempt: Attempt<State, Row>): Omit<DryRunEvent, 'id' | 'type'> {
  const nothing = { events: [], calls: [], timers: [] }
  if ('refused' in attempt) return { outcome: 'REFUSED_BY_DATABASE', error: attempt.refused, ...nothing }
  const { inputs, outcome } = attempt.applied
  const [failure] = outcome.parked
  if (failure) return { outcome: failure.reason, error: failure.error, ...nothing }
  const { events, calls, timers } = outcome
  return { outcome: inputs.length > 0 ? 'HANDLED' : 'DUPLICATE', events, calls, timers }
}
