import type { OrdersPage } from '../../../contract/orders.ts'
import { formatMoney } from '../../../../../infra/web/client/format-money.ts'
import { Pill } from '../../parts/pill.tsx'
import { Part } from '../../parts/problem.tsx'
import { number, Pager, Table } from '../../parts/table.tsx'
import { Ago, DateAndClock } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'
import { Link, navigate, setQuery } from '../../../../../infra/web/client/router.tsx'

const states = ['placed', 'authorized', 'reserved', 'ready', 'shipping', 'completed', 'cancelled', 'rejected']

export function Orders({ query }: { query: URLSearchParams }) {
  const text = query.get('text') ?? ''
  const status = query.get('status') ?? ''
  const after = query.get('after') ?? ''
  const reading = useFeed<OrdersPage>(`orders?${new URLSearchParams({ text, status, after })}`)
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Orders</h1>
          <p className="lead">{text ? <>Found for “{text}”</> : 'Those that changed last'}</p>
        </div>
        <div className="filters">
          <label>
            Status
            <select value={status} onChange={({ target }) => setQuery({ status: target.value, after: '' })}>
              <option value="">all</option>
              {states.map((state) => (
                <option key={state}>{state}</option>
              ))}
            </select>
          </label>
          {(text || status || after) && (
            <button type="button" className="quiet" onClick={() => navigate('/orders')}>
              Clear
            </button>
          )}
        </div>
      </header>
      <Part reading={reading} what="the orders">
        {({ orders, next }) =>
          orders.length === 0 ? (
            <section className="empty">
              <h2>No orders{text || status ? ' match' : ' yet'}</h2>
              {text || status ? (
                <p>Search takes an order id or its beginning, a customer id, or a tracking number.</p>
              ) : (
                <p>
                  Place some: <code>npm run produce -- OrderPlaced --count 100</code>
                </p>
              )}
            </section>
          ) : (
            <>
              <Table
                label="Orders"
                columns={[
                  'Order',
                  'Status',
                  'Customer',
                  number('Total'),
                  'Placed',
                  { head: 'Changed', sort: 'descending' },
                ]}
              >
                {orders.map((order) => (
                  <tr key={order.orderId} data-row>
                    <th scope="row">
                      <Link to={`/orders/${encodeURIComponent(order.orderId)}`} className="id">
                        {order.orderId}
                      </Link>
                    </th>
                    <td>
                      <Pill state={order.status} />
                      {order.reason && <span className="aside">{order.reason}</span>}
                    </td>
                    <td>
                      {order.customerId ? (
                        <Link to={`/orders?text=${encodeURIComponent(order.customerId)}`}>{order.customerId}</Link>
                      ) : (
                        '–'
                      )}
                    </td>
                    <td className="number">{formatMoney(order.totalMinor, order.currency)}</td>
                    <td>{order.placedAt ? <DateAndClock at={order.placedAt} /> : '–'}</td>
                    <td>
                      <Ago at={order.updatedAt} />
                    </td>
                  </tr>
                ))}
              </Table>
              <Pager
                label="Pages of orders"
                isLater={after !== ''}
                next={next === null ? undefined : `/orders?${new URLSearchParams({ text, status, after: next })}`}
              />
            </>
          )
        }
      </Part>
    </>
  )
}
