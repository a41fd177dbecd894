import type { EventType } from '../../schemas/generated/events.ts'
import { topics } from '../../schemas/topics.ts'
import { defineConsumer } from '../runtime/handler.ts'
import type { Context } from '../runtime/handler.ts'
import { decideOrderStatus } from './decide-order-status.ts'
import type { OrderEvent, OrderStatus } from './decide-order-status.ts'
import { orderStatusTable } from './order-status-table.ts'

const ofOrders = topics.filter(({ name }) => name !== 'stock').flatMap(({ events }): readonly EventType[] => events)

/** Where every order stands and what happened to it: what `GET /orders/:id` shows. */
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
