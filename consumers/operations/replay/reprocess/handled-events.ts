import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { RecordInput } from '../../../runtime/model.ts'

const known = prepared<{ event_id: string }>(
  'replay_handled_known',
  'select event_id from replay_handled where replay = $1 and event_id = any($2::uuid[])',
)

/** The first record of each event that this replay has not handled yet: the log may contain an event twice. */
export async function notHandled(tx: Tx, replay: number, inputs: readonly RecordInput[]): Promise<RecordInput[]> {
  const rows = await known(
    tx,
    replay,
    inputs.map(({ inboxId }) => inboxId),
  )
  const handled = new Set(rows.map((row) => row.event_id))
  return inputs.filter(({ inboxId }) => !handled.has(inboxId) && handled.add(inboxId))
}

const note = prepared(
  'replay_handled_note',
  'insert into replay_handled (replay, event_id) select $1, unnest($2::uuid[]) on conflict do nothing',
)

/** Records the events a replay has handled, within the transaction of their effects. */
export const noteHandled = (tx: Tx, replay: number, ids: readonly string[]): Promise<unknown> => note(tx, replay, ids)

const slice = 10_000
const forget = prepared<{ gone: number }>(
  'replay_handled_forget',
  `with gone as (
     delete from replay_handled where replay = $1 and event_id = any (array(
       select event_id from replay_handled where replay = $1 limit $2)) returning 1)
   select count(*) as gone from gone`,
)

/** For a replay that will not be resumed. Deletes in slices, so that no statement runs long. */
export async function forgetHandled(pool: Pool, replay: number): Promise<void> {
  while (((await forget(pool, replay, slice))[0]?.gone ?? 0) === slice);
}
