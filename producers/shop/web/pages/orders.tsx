import { useEffect, useState } from 'react'
import type { OrderStatus } from '../../../orders-api/http/contract.ts'
import { Link } from '../../../../infra/web/client/router.tsx'
import { ask, problemOf } from '../api/ask.ts'
import { knownOrders } from '../api/checkout.ts'
import { Empty } from '../parts/empty.tsx'
import { OrderState } from '../parts/order-state.tsx'
import { useWords } from '../texts/texts.tsx'

/** So many states are read; older orders are shown without. */
const statesRead = 20

/** Orders of this browser: the API lists none, because a guest of the shop has no password to ask for them. */
export function Orders() {
  const { t, money, dateAndTime } = useWords()
  const orders = knownOrders.use()
  const states = useStates(orders.slice(0, statesRead).map(({ orderId }) => orderId))
  if (orders.length === 0)
    return (
      <>
        <h1>{t.orders}</h1>
        <Empty title={t.ordersPage.empty} text={t.ordersPage.emptyText} />
      </>
    )
  return (
    <>
      <h1>{t.orders}</h1>
      <div className="table" tabIndex={0} role="region" aria-label={t.ordersPage.caption}>
        <table>
          <caption>{t.ordersPage.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{t.ordersPage.order}</th>
              <th scope="col">{t.ordersPage.placed}</th>
              <th scope="col" className="number">
                {t.ordersPage.total}
              </th>
              <th scope="col">{t.ordersPage.state}</th>
            </tr>
          </thead>
          <tbody>
            {orders.map(({ orderId, placedAt, totalMinor, currency }) => (
              <tr key={orderId}>
                <th scope="row">
                  <Link to={`/shop/orders/${orderId}`}>… {orderId.slice(-6)}</Link>
                </th>
                <td>
                  <time dateTime={placedAt}>{dateAndTime(placedAt)}</time>
                </td>
                <td className="number">{money(totalMinor, currency)}</td>
                <td>{states.has(orderId) ? <OrderState status={states.get(orderId)} /> : '…'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

/** The states of orders, read once; `undefined` where the API does not know or does not answer. */
function useStates(orderIds: readonly string[]): ReadonlyMap<string, OrderStatus['status'] | undefined> {
  const [states, setStates] = useState<ReadonlyMap<string, OrderStatus['status'] | undefined>>(new Map())
  const wanted = orderIds.join(' ')
  useEffect(() => {
    const stopped = new AbortController()
    const { signal } = stopped
    for (const orderId of wanted.split(' ').filter(Boolean))
      ask<OrderStatus>(`/orders/${encodeURIComponent(orderId)}`, { signal })
        .then(
          ({ status }) => status,
          (error: unknown) => void problemOf(error),
        )
        .then((status) => signal.aborted || setStates((known) => new Map(known).set(orderId, status)))
        .catch(() => {})
    return () => stopped.abort()
  }, [wanted])
  return states
}
