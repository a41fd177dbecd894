import { findOrders, orderStates } from '../../../../consumers/operations/orders/find-orders.ts'
import { isUnknown, readOrder, readOrderEvents } from '../../../../consumers/operations/orders/read-order.ts'
import { TallyError } from '../../../../infra/errors.ts'
import type { OrdersPage } from '../../contract/orders.ts'
import type { ConsoleContext } from '../context.ts'
import { troubleOf } from '../http/failures.ts'
import type { Feed } from '../live/feeds.ts'
import { orderPage } from './order-page.ts'
import { SchemaVersions } from './schema-versions.ts'

const statuses: readonly string[] = orderStates

/** The search, and one order. */
export function orderFeeds(context: ConsoleContext): Record<'orders' | 'order', Feed> {
  const versions = new SchemaVersions(context.config)
  return {
    orders: {
      everyMs: 3_000,
      grows: true,
      async read(query): Promise<OrdersPage> {
        const status = query.get('status') || undefined
        if (status !== undefined && !statuses.includes(status))
          throw new TallyError('USAGE', `There is no status "${status}": there are ${orderStates.join(', ')}`)
        return findOrders(context.config, context.pool, {
          text: query.get('text') ?? '',
          status,
          after: query.get('after') || undefined,
        })
      },
    },
    order: {
      everyMs: 2_000,
      async read(query, signal) {
        const orderId = query.get('id') ?? ''
        const { config, error } = await context.present()
        const codec = await context.codec(signal).catch(() => undefined)
        if (error) {
          const found = await readOrderEvents(orderId, { config, codec, signal })
          if (found.events.length === 0) throw error
          const gaps = [`Only the topics could be read. ${troubleOf(error, config)}`, ...found.gaps]
          await versions.learn(found.events.flatMap(({ schemaId }) => schemaId ?? []))
          return orderPage({ ...found, gaps }, (id) => versions.of(id), Date.now())
        }
        const groups = await context.groups()
        const account = await readOrder(orderId, { config, pool: context.pool, groups, codec, signal })
        if (isUnknown(account))
          throw new TallyError('USAGE', `No order "${orderId}" is known: its id may be mistyped, or its data deleted`)
        await versions.learn(account.events.flatMap(({ schemaId }) => schemaId ?? []))
        return orderPage(account, (id) => versions.of(id), Date.now())
      },
    },
  }
}
