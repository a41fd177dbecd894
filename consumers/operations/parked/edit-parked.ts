import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { timeOfRecord } from '../../../schemas/envelope.ts'
import type { EventData, EventType } from '../../../schemas/generated/events.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { keyOf, topicOf, withoutGeneration } from '../../../schemas/topics.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { restoreIntent, restoreMessage, storeIntent } from '../../runtime/tables/parked-row.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { makeKeysDue, readKeyQueue, replaceValue, touchKey } from '../../runtime/tables/parked-changes.ts'
import type { AskedKey } from '../../runtime/tables/parked-list.ts'
import { lockLaneAsOperator } from '../../../producers/outbox/lane-table.ts'

/** The new content of a parked event: an event's data, or the answer to a call. */
export type Edit = { readonly type: EventType; readonly data: EventData[EventType] } | { readonly answer: object }

/** A parked event with its new bytes. Its headers, and with them its id, stay. */
export interface EditedRow {
  readonly row: ParkedRow
  readonly type: string | null
  readonly value: Buffer
}

/**
 * Encodes an edit with today's schema of the type.
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
  const { fault } = timeOfRecord(restoreMessage(row))
  if (fault !== undefined)
    throw refused(
      row,
      `stays unreadable, an edit does not change it: ${fault}. Publish it again (npm run produce) and drop this one`,
    )
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

/**
 * Replaces the bytes of a parked event.
 * @param redrive also make its key due at once, from the head on
 * @returns the key that is due; undefined without `redrive`
 * @throws TallyError PRECONDITION_FAILED if the event is no longer parked or was edited since it was read
 */
export function editParked(
  pool: Pool,
  { row, type, value }: EditedRow,
  by: Actor & { why: string },
  { redrive }: { redrive: boolean },
): Promise<AskedKey | undefined> {
  return inTransaction(pool, async (tx) => {
    await lockLaneAsOperator(tx, row.lane)
    await noteAction(tx, [row.id], 'EDITED', by, value)
    const key = await replaceValue(tx, row, value, type)
    if (key === undefined) throw refused(row, 'has changed or left meanwhile: look at it again')
    const queue = await readKeyQueue(tx, row.lane, key)
    if (!redrive || !queue) {
      await touchKey(tx, row.lane, key)
      return undefined
    }
    await noteAction(tx, [...new Set([...queue.ids.slice(0, 1), row.id])], 'REDRIVE_ASKED', by)
    await makeKeysDue(tx, [queue])
    return queue
  })
}
