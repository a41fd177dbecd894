import { useState } from 'react'
import type { ConsumerPart, OrderPage, WaitReason } from '../../../contract/orders.ts'
import { formatMoney } from '../../../../../infra/web/client/format-money.ts'
import { duration } from '../../model/format-time.ts'
import { CommandLine } from '../../parts/copy.tsx'
import { Terms } from '../../parts/details.tsx'
import { reasonWords } from '../parked/parked.tsx'
import { Pill } from '../../parts/pill.tsx'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Words } from '../../parts/words.tsx'
import { Part } from '../../parts/problem.tsx'
import { Table } from '../../parts/table.tsx'
import { Ago, Clock, DateAndClock } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'
import { Link } from '../../../../../infra/web/client/router.tsx'
import { EventItem } from './order-event.tsx'
import { OrderPicture } from './order-picture.tsx'

export function OrderDetail({ orderId }: { orderId: string }) {
  const reading = useFeed<OrderPage>(`order?id=${encodeURIComponent(orderId)}`)
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/orders">Orders</Link> <span aria-hidden="true">/</span>
      </nav>
      <h1 className="id">{orderId}</h1>
      <Part reading={reading} what="the order">
        {(page) => <Order page={page} />}
      </Part>
    </>
  )
}

function Order({ page }: { page: OrderPage }) {
  const { order, events, waiting, consumers, gaps, lane } = page
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const [chosen, setChosen] = useState<number>()
  const toggle = (eventId: string) => {
    const next = new Set(open)
    if (!next.delete(eventId)) next.add(eventId)
    setOpen(next)
  }
  const choose = (index: number) => {
    setChosen(index)
    document.querySelectorAll<HTMLElement>('.event')[index]?.scrollIntoView({ block: 'center' })
  }
  // Generated orders say that they were placed long ago: their first event tells when they began
  const began = events[0]?.happenedAt ?? order?.placedAt
  const took = began && order?.endedAt ? Date.parse(order.endedAt) - Date.parse(began) : undefined
  return (
    <>
      <Terms
        kind="headline"
        terms={[
          [
            'Status',
            <>
              {order ? <Pill state={order.status} /> : 'no service knows it'}
              {order?.reason && <span className="aside">{order.reason}</span>}
            </>,
          ],
          [
            'Customer',
            order?.customerId ? (
              <Link to={`/orders?text=${encodeURIComponent(order.customerId)}`}>{order.customerId}</Link>
            ) : (
              '–'
            ),
          ],
          ['Total', formatMoney(order?.totalMinor ?? null, order?.currency ?? null)],
          ['Placed', order?.placedAt ? <DateAndClock at={order.placedAt} /> : '–'],
          [
            order?.endedAt ? 'Took' : 'Changed',
            order?.endedAt ? took === undefined ? '–' : duration(took) : order ? <Ago at={order.updatedAt} /> : '–',
          ],
          ['Lane', lane],
        ]}
      />
      {waiting.length > 0 && <Waiting reasons={waiting} />}
      {gaps.map((gap) => (
        <Notice key={gap} kind="warn" title="Not all could be read">
          <Words text={gap} />
        </Notice>
      ))}
      <OrderPicture events={events} chosen={chosen} onChoose={choose} />
      <section aria-labelledby="events">
        <h2 id="events">
          {events.length} event{events.length === 1 ? '' : 's'}, each behind its cause
        </h2>
        {events.length === 0 ? (
          <p className="empty">No event of this order is on the topics.</p>
        ) : (
          <ol className="events">
            {events.map((event, index) => (
              <EventItem
                key={event.eventId}
                event={event}
                number={index}
                sinceMs={sinceBefore(events[index - 1]?.happenedAt, event.happenedAt)}
                open={open.has(event.eventId)}
                onToggle={() => toggle(event.eventId)}
              />
            ))}
          </ol>
        )}
      </section>
      <Consumers consumers={consumers} />
    </>
  )
}

const sinceBefore = (before: string | null | undefined, at: string | null): number | undefined =>
  before && at ? Date.parse(at) - Date.parse(before) : undefined

function Waiting({ reasons }: { reasons: readonly WaitReason[] }) {
  const isStuck = reasons.some(({ needs }) => needs === 'operator')
  return (
    <section className={`waiting ${isStuck ? 'bad' : 'info'}`} aria-labelledby="waiting">
      <h2 id="waiting">{isStuck ? 'It waits for an operator' : 'Why it has not ended'}</h2>
      <ul>
        {reasons.map(({ sentence, command }) => (
          <li key={sentence}>
            <span>{sentence}</span>
            {command && <CommandLine command={command} />}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Calls, timers and parked stops of each consumer that has any, and what operators did. */
function Consumers({ consumers }: { consumers: readonly ConsumerPart[] }) {
  const busy = consumers.filter(
    ({ parked, calls, timers, audit }) => parked.length + calls.length + timers.length + audit.length > 0,
  )
  if (busy.length === 0) return null
  return (
    <section aria-labelledby="consumers">
      <h2 id="consumers">Calls, timers and parked events</h2>
      <Table label="Work of consumers" columns={['Consumer', 'What', 'When', 'Detail']}>
        {busy.flatMap(({ consumer, parked, calls, timers, audit }) => [
          ...parked.map(({ id, type, reason, error, parkedAt }) => (
            <tr key={`parked-${consumer}-${id}`}>
              <th scope="row">{consumer}</th>
              <td>
                <Pill state="parked" /> {type}
              </td>
              <td>
                <Clock at={parkedAt} />
              </td>
              <td className="detail">
                {reasonWords(reason)}
                {error && `: ${error}`}
              </td>
            </tr>
          )),
          ...calls.map(({ kind, attempts, lastError, nextAttemptAt }) => (
            <tr key={`call-${consumer}-${kind}`}>
              <th scope="row">{consumer}</th>
              <td>call “{kind}”</td>
              <td>
                next <Ago at={nextAttemptAt} />
              </td>
              <td>
                {attempts} attempts{lastError && `: ${lastError}`}
              </td>
            </tr>
          )),
          ...timers.map(({ kind, dueAt }) => (
            <tr key={`timer-${consumer}-${kind}`}>
              <th scope="row">{consumer}</th>
              <td>timer “{kind}”</td>
              <td>
                <Ago at={dueAt} />
              </td>
              <td />
            </tr>
          )),
          ...audit.map(({ at, action, actor, why, event }) => (
            <tr key={`audit-${consumer}-${at}-${action}-${event}`}>
              <th scope="row">{consumer}</th>
              <td>{action.toLowerCase().replace('_', ' ')}</td>
              <td>
                <Clock at={at} />
              </td>
              <td>
                by {actor}
                {why && `: ${why}`}, {event}
              </td>
            </tr>
          )),
        ])}
      </Table>
    </section>
  )
}
