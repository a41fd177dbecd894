import type { EventType } from '../../schemas/generated/events.ts'
import { topics } from '../../schemas/topics.ts'
import { defineConsumer } from '../runtime/handler.ts'
import type { Context } from '../runtime/handler.ts'
import { decideOrderStatus } from './decide-order-status.ts'
import type { OrderStatus } from './decide-order-status.ts'
import type { OrderEvent } from './summarize.ts'
import { orderStatusTable } from './order-status-table.ts'

const ofOrders = topics.filter(({ name }) => name !== 'stock').flatMap(({ events }): readonly EventType[] => events)

/** The status and timeline of every order, as `GET /orders/:id` shows them. */
export default () =>
  defineConsumer({
    group: 'order-status',
    effects: 'none',
    state: orderStatusTable,
    handlers: Object.fromEntries(
      ofOrders.map((type) => [
        type,
        (data: OrderEvent['data'], state: OrderStatus, context: Context) =>
          decideOrderStatus({ type, data } as OrderEvent, state, context),
      ]),
    ),
  })
