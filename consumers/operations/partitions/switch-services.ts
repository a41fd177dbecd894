import type { Config } from '../../../infra/config.ts'
import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { isTransient } from '../../../infra/postgres/sqlstates.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { inGeneration, withoutGeneration } from '../../../schemas/topics.ts'
import { lockEveryLane } from '../../../producers/outbox/lane-generations.ts'
import { lockOutbox } from '../../../producers/outbox/outbox-table.ts'
import { beginTopics } from '../../runtime/tables/ledger.ts'
import { noteSwitched } from './operation.ts'
import { refuseReplays } from './preconditions.ts'
import { enter } from './services.ts'
import type { Services } from './services.ts'
import { switchLanes } from './switch-lanes.ts'
import { switchOrders } from './switch-orders.ts'
import type { TopicEnds } from './undrained.ts'

export interface ServicesSwitch {
  readonly config: Config
  readonly pool: Pool
  readonly services: Services
  readonly from: Generation
  readonly to: Generation
  /** Reads the end offsets of the topics of `from`; called while no outbox can write to them. */
  readEnds(): Promise<TopicEnds>
}

/** Numbers of rows moved to another lane. */
export interface Moved {
  orders: number
  parked: number
  timers: number
  calls: number
}

/**
 * Switches all services to the next generation of the topics in one transaction, under the locks of all lanes. The
 * topics' end offsets are read under those locks and the locks of the outboxes. All events that have left an outbox are
 * below these offsets. All others go to the new topics, even if a frozen process publishes them to the old topics as
 * well.
 * @throws TallyError PRECONDITION_FAILED if something of the old generation is left to do: nothing has changed then
 */
export async function switchServices(options: ServicesSwitch): Promise<Moved> {
  const { config, pool, services, from, to, readEnds } = options
  const { orders, groups } = services
  let atCommit = false // A failed commit may have taken effect: the next run finds out
  const switching = inTransaction(pool, async (tx) => {
    await refuseReplays(tx, config.namespace)
    // The orders API last: incoming orders wait for these locks
    for (const service of [...groups, orders]) {
      await enter(tx, service)
      await lockEveryLane(tx)
      await lockOutbox(tx)
    }
    const ends = await readEnds()
    const moved = { orders: 0, parked: 0, timers: 0, calls: 0 }
    for (const group of groups) {
      await enter(tx, group)
      const own = new Map([...ends].filter(([topic]) => group.topics.has(topic)))
      const { parked, timer, call } = await switchLanes(tx, { from, to, ends: own }).catch((error: unknown) => {
        throw error instanceof TallyError ? new TallyError(error.code, `${group.name}: ${error.message}`) : error
      })
      await beginTopics(tx, topicsIn(to, group.topics), to.partitions)
      moved.parked += parked
      moved.timers += timer
      moved.calls += call
    }
    await enter(tx, orders)
    moved.orders = await switchOrders(tx, to)
    await noteSwitched(tx, config.namespace, to, ends)
    atCommit = true
    return moved
  })
  return switching.catch((error: unknown) => {
    if (atCommit || isTallyError(error) || !isTransient(error)) throw error
    throw new TallyError('BUSY', describeError(error), { cause: error }) // A lock that took long, a broker that was slow
  })
}

const topicsIn = ({ number }: Generation, topics: ReadonlySet<string>): string[] =>
  [...topics].map((topic) => inGeneration(withoutGeneration(topic), number))
