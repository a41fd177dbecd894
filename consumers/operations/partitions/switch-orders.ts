import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { laneOf } from '../../../schemas/partition.ts'

interface Waiting {
  lane: number
  seq: number
  key: string
}

/**
 * Moves the orders API to the next generation of the topics, within the transaction: what waits in its outbox goes to the lane
 * the order has under the new count, in the same order, under that lane's next numbers. Its old number is kept as withdrawn.
 *
 * A number is never given twice: a frozen process may still delete up to one of the old lane, and must not meet another event.
 * @param tx sees the API's schema and holds the locks of all its lanes and of the outbox
 * @returns how many events have a new number
 */
export async function switchOrders(tx: Tx, { number, partitions }: Generation): Promise<number> {
  await tx.query('insert into lane (lane) select generate_series(0, $1 - 1) on conflict do nothing', [partitions])
  await tx.query(
    `insert into withdrawn (generation, lane, first_seq, next_seq)
     select $1, lane, min(seq), next_seq from outbox join lane using (lane) group by lane, next_seq`,
    [number],
  )
  const { rows: lanes } = await tx.query<{ lane: number; next_seq: number }>('select lane, next_seq from lane')
  const nextSeqs = new Map(lanes.map(({ lane, next_seq: nextSeq }) => [lane, nextSeq]))
  const { rows } = await tx.query<Waiting>('select lane, seq, key from outbox order by lane, seq')
  const moved = rows.map(({ lane, seq, key }) => {
    const to = laneOf(key, partitions)
    const toSeq = nextSeqs.get(to) ?? 1
    nextSeqs.set(to, toSeq + 1)
    return { lane, seq, to, toSeq }
  })
  const column = (name: 'lane' | 'seq' | 'to' | 'toSeq') => moved.map((row) => row[name])
  await tx.query(
    `update outbox set lane = to_lane, seq = to_seq, topic = regexp_replace(topic, '\\.g\\d+$', '') || $5,
       headers = (headers::jsonb || jsonb_build_object('ce_sourcelane', 'orders-api/' || to_lane, 'ce_sequence', to_seq::text))::text
     from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as moved (from_lane, from_seq, to_lane, to_seq)
     where lane = from_lane and seq = from_seq`,
    [column('lane'), column('seq'), column('to'), column('toSeq'), `.g${number}`],
  )
  await tx.query(
    `update lane set epoch = epoch + 1, generation = $3, owner = null, lease_until = null, next_seq = counted.next_seq
     from unnest($1::int[], $2::bigint[]) as counted (lane, next_seq) where lane.lane = counted.lane`,
    [[...nextSeqs.keys()], [...nextSeqs.values()], number],
  )
  return moved.length
}
