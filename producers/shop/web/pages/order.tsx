import { Notice } from '../../../../infra/web/client/notice.tsx'
import { navigate } from '../../../../infra/web/client/router.tsx'
import type { OrderStatus } from '../../../orders-api/http/contract.ts'
import { basket, knownOrders } from '../api/checkout.ts'
import { useOrder } from '../api/use-order.ts'
import type { Connection, OrderView } from '../api/use-order.ts'
import { withMore } from '../model/basket.ts'
import { canCancel, progressOf } from '../model/progress.ts'
import { OrderState } from '../parts/order-state.tsx'
import { useWords } from '../texts/texts.tsx'
import { Cancellation } from './cancellation.tsx'
import { Label } from './label.tsx'

/** One order, from its placing to its label. */
export function Order({ orderId }: { orderId: string }) {
  const { t, money, dateAndTime, trouble } = useWords()
  const view = useOrder(orderId)
  const { status, timeline, problem, connection } = view
  if (!status)
    return (
      <>
        <h1>{t.order.title(`… ${orderId.slice(-6)}`)}</h1>
        {problem ? (
          <Notice kind="bad" title={problem.status === 404 ? t.order.unknown : trouble(problem)}>
            {problem.status === 404 ? t.order.unknownText : t.order.lostText}
          </Notice>
        ) : (
          <p className="loading" role="status">
            {t.loading}
          </p>
        )}
      </>
    )
  return (
    <>
      <div className="order-head">
        <h1>{t.order.title(`… ${orderId.slice(-6)}`)}</h1>
        <OrderState status={status.status} />
        <LiveMark connection={connection} isOver={status.endedAt !== null} />
      </div>
      <p className="order-facts">
        {status.placedAt && <time dateTime={status.placedAt}>{t.order.placedAt(dateAndTime(status.placedAt))}</time>}
        {status.totalMinor !== null && <strong>{money(status.totalMinor, status.currency)}</strong>}
        <code>{orderId}</code>
      </p>
      {connection === 'lost' && status.endedAt === null && (
        <Notice kind="warn" title={t.order.lost}>
          {t.order.lostText}
        </Notice>
      )}
      {connection === 'back' && status.endedAt === null && (
        <Notice kind="ok" title={t.order.back}>
          {t.order.backText}
        </Notice>
      )}
      <End status={status} />
      <Progress view={view} status={status} />
      {canCancel(status, timeline) && <Cancellation orderId={orderId} />}
      <div className="order-columns">
        <History view={view} />
        <Label orderId={orderId} shipment={status.shipment} isOver={status.endedAt !== null} />
      </div>
    </>
  )
}

function LiveMark({ connection, isOver }: { connection: Connection; isOver: boolean }) {
  const { t } = useWords()
  if (isOver) return null
  const [tone, word] =
    connection === 'connecting'
      ? ['quiet', t.order.connecting]
      : connection === 'lost'
        ? ['warn', t.order.lost]
        : ['ok', t.order.live]
  return (
    <span className={`pill ${tone}`} title={connection === 'lost' ? undefined : t.order.liveText}>
      {word}
    </span>
  )
}

/** What the end means, and what to do. */
function End({ status: { status, reason, endedAt, orderId } }: { status: OrderStatus }) {
  const { t } = useWords()
  const known = knownOrders.use().find((each) => each.orderId === orderId)
  if (endedAt === null) return null
  const [title = '', text = ''] =
    t.ends[status === 'completed' ? 'completed' : (reason ?? '')] ??
    t.ends[status === 'rejected' ? 'declined' : 'cancelled'] ??
    []
  const again = () => {
    basket.set(
      Object.entries(known?.basket ?? {}).reduce((all, [sku, units]) => withMore(all, sku, units), basket.get()),
    )
    navigate('/shop/basket')
  }
  return (
    <Notice kind={status === 'completed' ? 'ok' : status === 'rejected' ? 'bad' : 'info'} title={title}>
      <p>{text}</p>
      {status !== 'completed' && known && (
        <button type="button" onClick={again}>
          {t.order.orderAgain}
        </button>
      )}
    </Notice>
  )
}

const signs = { done: '✓', next: '●', open: '', off: '–' }

function Progress({ view: { timeline }, status }: { view: OrderView; status: OrderStatus }) {
  const { t } = useWords()
  return (
    <section aria-label={t.order.progress}>
      <ol className="steps">
        {progressOf(status.status, timeline).map(({ step, state }) => (
          <li key={step} className={state} aria-current={state === 'next' ? 'step' : undefined}>
            <span className="step-sign" aria-hidden="true">
              {signs[state]}
            </span>
            <span>
              {t.order.steps[step]} <small>{t.order.stepStates[state]}</small>
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function History({ view: { timeline, status } }: { view: OrderView }) {
  const { t, time } = useWords()
  return (
    <section>
      <h2>{t.order.history}</h2>
      {timeline.length === 0 && <p className="loading">{t.order.none}</p>}
      <ol className="history" aria-live="polite" aria-relevant="additions">
        {timeline.map(({ seq, type, time: at }) => (
          <li key={seq}>
            <time dateTime={at}>{time(at)}</time>
            <span>{t.events[type] ?? type}</span>
          </li>
        ))}
        {timeline.some(({ type }) => type === 'CancellationRequested') && status?.endedAt === null && (
          <li>
            <span />
            <em>{t.order.cancelling}</em>
          </li>
        )}
      </ol>
    </section>
  )
}
