import { useEffect, useState } from 'react'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import type { OrderStatus } from '../../../orders-api/http/contract.ts'
import { askImage, problemOf } from '../api/ask.ts'
import type { Problem } from '../api/ask.ts'
import { useWords } from '../texts/texts.tsx'

interface LabelProps {
  readonly orderId: string
  readonly shipment: OrderStatus['shipment']
  readonly isOver: boolean
}

/** The parcel: its carrier, its tracking number, its label. */
export function Label({ orderId, shipment, isOver }: LabelProps) {
  const { t, range } = useWords()
  if (!shipment)
    return isOver ? null : (
      <section>
        <h2>{t.order.label}</h2>
        <p className="loading">{t.order.labelWait}</p>
      </section>
    )
  const { carrier, trackingNumber, pickupFrom, pickupUntil } = shipment
  return (
    <section>
      <h2>{t.order.label}</h2>
      <dl className="parcel">
        <dt>{t.order.carrier}</dt>
        <dd>{carrier}</dd>
        <dt>{t.order.tracking}</dt>
        <dd>
          <code>{trackingNumber}</code>
        </dd>
        <dt>{t.order.pickup}</dt>
        <dd>{range(pickupFrom, pickupUntil)}</dd>
      </dl>
      <LabelImage orderId={orderId} trackingNumber={trackingNumber} />
    </section>
  )
}

function LabelImage({ orderId, trackingNumber }: { orderId: string; trackingNumber: string }) {
  const { t, trouble } = useWords()
  const [address, setAddress] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const stopped = new AbortController()
    let made: string | undefined
    setProblem(undefined)
    askImage(`/orders/${encodeURIComponent(orderId)}/label`, stopped.signal).then(
      (url) => {
        made = url
        if (stopped.signal.aborted) URL.revokeObjectURL(url)
        else setAddress(url)
      },
      (error: unknown) => stopped.signal.aborted || setProblem(problemOf(error)),
    )
    return () => {
      stopped.abort()
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [orderId, tries])
  if (problem)
    return (
      <Notice kind="warn" title={t.order.labelFailed}>
        <p>{trouble(problem)}</p>
        <button type="button" onClick={() => setTries(tries + 1)}>
          {t.again}
        </button>
      </Notice>
    )
  return address === undefined ? (
    <p className="loading" role="status">
      {t.loading}
    </p>
  ) : (
    <img className="label" src={address} alt={t.order.labelOf(trackingNumber)} width="420" height="310" />
  )
}
