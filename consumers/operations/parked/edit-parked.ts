import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { EventData, EventType } from '../../../schemas/generated/events.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { keyOf, topicOf, withoutGeneration } from '../../../schemas/topics.ts'
import { makeKeysDue } from './ask-redrive.ts'
import type { AskedKey } from './ask-redrive.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { restoreIntent, storeIntent } from '../../runtime/tables/parked-row.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { lockLaneByHand } from './selection.ts'

/** What a person wants a parked event to say: an event's data, or the answer to a call. */
export type Edit = { readonly type: EventType; readonly data: EventData[EventType] } | { readonly answer: object }

/** A parked event with the bytes it is to have; headers, and with them its id, stay. */
export interface EditedRow {
  readonly row: ParkedRow
  readonly type: string | null
  readonly value: Buffer
}

/**
 * Puts an edit into bytes, with today's schema of the type.
 * @param partitions of the pipeline
 * @throws TallyError USAGE saying what is wrong with it
 */
export function encodeEdit(row: ParkedRow, edit: Edit, codec: Pick<Codec, 'encode'>, partitions: number): EditedRow {
  if ('answer' in edit) {
    const intent = row.source === 'answer' ? restoreIntent(row) : undefined
    if (intent?.source !== 'answer') throw refused(row, 'is not the answer to a call')
    return { row, type: row.type, value: storeIntent({ ...intent, answer: edit.answer }) }
  }
  if (row.source !== 'record') throw refused(row, `is the ${row.source} of a ${row.type}, not an event`)
  const { type, data } = edit
  if (topicOf(type).name !== withoutGeneration(row.topic ?? ''))
    throw refused(row, `came on topic ${row.topic}, ${type} travels on another`)
  let value: Buffer
  try {
    value = Buffer.from(codec.encode(type, data as never)) // A copy: the codec's block lives as long as any part of it
  } catch (error) {
    throw isTallyError(error, 'INVARIANT') ? refused(row, `cannot be that: ${describeError(error)}`) : error
  }
  const key = keyOf(data)
  const partition = laneOf(key, partitions)
  if (partition !== row.lane) {
    throw refused(
      row,
      `is of lane ${row.lane}, but key ${key} belongs to lane ${partition}: publish it there (npm run produce) and drop this one`,
    )
  }
  return { row, type, value }
}

const refused = ({ id }: ParkedRow, what: string): TallyError =>
  new TallyError('PRECONDITION_FAILED', `event ${id} ${what}`)

const replace = prepared<{ key: string }>(
  'parked_replace',
  `update parked set value = $3, type = $4 where id = $1 and value is not distinct from $2 returning key`,
)
const keyQueue = prepared<AskedKey>(
  'parked_key_queue',
  `select lane, key, json_agg(id order by id) as ids, now()::text as "askedAt" from parked
   where lane = $1 and key = $2 group by lane, key`,
)
const touch = prepared('parked_touch', 'update parked set revision = revision + 1 where lane = $1 and key = $2')

/**
 * Gives a parked event other bytes.
 * @param redrive also make its key due at once, from the head on
 * @returns the key that is due; undefined without `redrive`
 * @throws TallyError PRECONDITION_FAILED if the event has left the parking lot or was edited by someone else since it was read
 */
export function editParked(
  pool: Pool,
  { row, type, value }: EditedRow,
  by: Actor & { why: string },
  { redrive }: { redrive: boolean },
): Promise<AskedKey | undefined> {
  return inTransaction(pool, async (tx) => {
    await lockLaneByHand(tx, row.lane)
    await noteAction(tx, [row.id], 'EDITED', by, value)
    const [edited] = await replace(tx, row.id, row.value, value, type)
    if (!edited) throw refused(row, 'has changed or left meanwhile: look at it again')
    const [queue] = await keyQueue(tx, row.lane, edited.key)
    if (!redrive || !queue) {
      await touch(tx, row.lane, edited.key)
      return undefined
    }
    await noteAction(tx, [...new Set([...queue.ids.slice(0, 1), row.id])], 'REDRIVE_ASKED', by)
    await makeKeysDue(tx, [queue])
    return queue
  })
}
