import { newEventId } from '../../../../../schemas/event-id.ts'
import defineOrderStatus from '../../../../order-status/consumer.ts'
import { openTestBench } from '../../../../runtime/testing/test-bench.ts'
import type { Published, TestBench } from '../../../../runtime/testing/test-bench.ts'
import { eventsOf } from '../../../../testing/events.ts'
import { rangesOf } from '../../testing/replay-of.ts'

export const definition = defineOrderStatus()
export const topics = ['orders', 'payments', 'inventory', 'shipping']
export const partitions = 3
export const inPlan = topics.map((topic) => ({ topic, topicId: null }))
export const by = { actor: 'ada', why: 'a test' }

export const open = () => openTestBench(definition.group, '', partitions, { TALLY_RETRY_LIMIT: '0' })

/** An order with two events on two topics, one of them in the log twice. */
export function story(): Published[] {
  const { placed, authorized, reserved } = eventsOf(newEventId())
  const repeated = { ...authorized, id: newEventId() }
  return [placed, repeated, reserved, repeated]
}

export const stories = (count: number): Published[] => Array.from({ length: count }, story).flat()
export const orderOf = ({ data }: Published) => ('orderId' in data ? data.orderId : '')

/** All that does not depend on which topic of a lane was read first. */
export async function rows({ pool }: TestBench): Promise<unknown[]> {
  const { rows: found } = await pool.query(
    `select order_id, status, reason, customer_id, total_minor, placed_at, updated_at, ended_at, entries,
       (select array_agg(type order by type) from unnest(seen) as type) as seen,
       (select json_agg(entry order by topic, "offset") from (
          select event_id, type, time, topic, partition, "offset", summary from timeline t where t.order_id = o.order_id
        ) as entry) as timeline,
       (select array_agg(seq order by seq) from timeline t where t.order_id = o.order_id) as numbers
     from order_status o order by order_id`,
  )
  return found
}

export const statuses = async ({ pool }: TestBench): Promise<Record<string, number>> => {
  const { rows: found } = await pool.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from order_status group by status',
  )
  return Object.fromEntries(found.map(({ status, n }) => [status, n]))
}

export const everything = async (bench: TestBench) =>
  (await Promise.all(topics.map((topic) => rangesOf(bench, topic)))).flat()

export async function schemasLeft({ pool, config }: TestBench): Promise<string[]> {
  const { rows: found } = await pool.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1) order by name',
    [config.namespace],
  )
  return found.map(({ name }) => name.slice(config.namespace.length))
}
