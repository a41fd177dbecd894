import type { Config } from '../../../infra/config.ts'
import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { sealOrders } from '../../../producers/direct/seal-events.ts'
import { schemaName } from '../../runtime/load-consumer.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { connectCodec } from '../connect-codec.ts'
import type { ChosenEvent } from './choose-parked.ts'
import { editParked, encodeEdit } from './edit-parked.ts'
import type { Edit, EditedRow } from './edit-parked.ts'
import { lastActs } from './last-acts.ts'
import { readParked } from '../../runtime/tables/parked-list.ts'
import { changedFields, editableJson, readEdit, typeOfRecord } from './read-edit.ts'
import { readValue } from './read-value.ts'
import type { AskedOfGroup } from './redrive-parked.ts'

/** An edit of one parked event, checked and encoded; nothing is written yet. */
export interface PreparedEdit extends ChosenEvent {
  readonly edited: EditedRow
  readonly type: string | null
  /** `lines[0].quantity: 1 → 2`, one for each field that changes; none if the event already says so. */
  readonly changes: readonly string[]
}

export interface EditRequest {
  /** Returns the new JSON. @param before the JSON of the first event */
  text(before: object): string
  /** The event type, where the record does not say it. */
  readonly type?: string
}

/**
 * Prepares the same edit for several parked events, such as one record in all groups that have parked it.
 * @throws TallyError USAGE naming every field that is wrong, or if an event is no longer parked; UNREACHABLE
 */
export async function prepareEdits(
  config: Config,
  events: readonly ChosenEvent[],
  { text, type: given }: EditRequest,
  signal: AbortSignal,
): Promise<PreparedEdit[]> {
  const codec = await connectCodec(config, signal)
  const keys = new CustomerKeys(schemaName(config.namespace, 'orders'))
  const prepared: PreparedEdit[] = []
  let json: string | undefined
  for (const { group, id } of events) {
    const row = await readParked(group.pool, id)
    if (!row) throw new TallyError('USAGE', `${group.name}/${id} is no longer parked`)
    const before = await readValue(row, codec)
    const type = given ?? typeOfRecord(row, before)
    json ??= text(editableJson(before))
    const wanted = await sealed(readEdit(json, row, type), keys, group.pool)
    const { partitions } = await currentConfig(config, group.pool)
    const changes = changedFields(
      before.kind === 'bytes' ? undefined : editableJson(before),
      'answer' in wanted ? wanted.answer : wanted.data,
    )
    const edited = encodeEdit(row, wanted, codec, partitions)
    // The same bytes are the same event, although a field that the text leaves out may have a default
    const same = row.value !== null && edited.value.equals(row.value)
    prepared.push({ group, id, edited, type: type ?? row.type, changes: same ? [] : changes })
  }
  return prepared
}

/** An address that was typed in anew is a customer's, too. */
async function sealed(edit: Edit, keys: CustomerKeys, pool: Pool): Promise<Edit> {
  if ('answer' in edit) return edit
  const [result] = await sealOrders(keys, pool, [edit])
  return result ?? edit
}

/** The outcome of one edit. */
export interface EditOutcome {
  readonly group: string
  readonly id: number
  /** - unchanged  the event already says so, for instance after an interrupted run */
  readonly outcome: 'edited' | 'unchanged' | 'failed'
  readonly error?: string
}

/**
 * Writes edits, each in a transaction of its own under its lane's lock. After an interruption it can be run again:
 * edits that were already written change nothing.
 * @returns the outcome of each, and the keys that are due with `redrive`
 */
export async function writeEdits(
  prepared: readonly PreparedEdit[],
  by: Actor & { why: string },
  { redrive, signal }: { redrive: boolean; signal: AbortSignal },
): Promise<{ outcomes: EditOutcome[]; asked: AskedOfGroup[] }> {
  const outcomes: EditOutcome[] = []
  const asked: AskedOfGroup[] = []
  for (const { group, id, edited, changes } of prepared) {
    signal.throwIfAborted()
    const name = { group: group.name, id }
    if (changes.length === 0) {
      outcomes.push({ ...name, outcome: 'unchanged' })
      continue
    }
    try {
      const key = await editParked(group.pool, edited, by, { redrive })
      outcomes.push({ ...name, outcome: 'edited' })
      if (key) asked.push({ group, keys: [key] })
    } catch (error) {
      if (!isTallyError(error)) throw error
      const [by] = await lastActs([{ group, selection: { ids: [id] } }])
      outcomes.push({ ...name, outcome: 'failed', error: [describeError(error), ...(by ? [by] : [])].join('; ') })
    }
  }
  return { outcomes, asked }
}
