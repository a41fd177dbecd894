import { useState } from 'react'
import type { FormEvent } from 'react'
import { Dialog } from '../../../../infra/web/client/dialog.tsx'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { ask, problemOf } from '../api/ask.ts'
import type { Problem } from '../api/ask.ts'
import { en } from '../texts/en.ts'
import { useWords } from '../texts/texts.tsx'

/** Asks for the reason, then for the cancellation; whether it was in time is seen in the history. */
export function Cancellation({ orderId }: { orderId: string }) {
  const { t, trouble } = useWords()
  const [isOpen, setOpen] = useState(false)
  const [reason, setReason] = useState(0)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const cancel = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(undefined)
    try {
      await ask(`/orders/${encodeURIComponent(orderId)}/cancellation`, {
        method: 'POST',
        body: { reason: en.order.reasons[reason] ?? '' }, // For the merchant, in one language
        headers: { 'idempotency-key': `${orderId}-cancel-${reason}` },
      })
      setOpen(false)
    } catch (error) {
      setProblem(problemOf(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <p className="acts">
        <button type="button" className="danger" onClick={() => setOpen(true)}>
          {t.order.cancel}
        </button>
      </p>
      {isOpen && (
        <Dialog title={t.order.cancelTitle} closeLabel={t.close} onClose={() => setOpen(false)}>
          <p>{t.order.cancelText}</p>
          {problem && (
            <Notice kind="bad" title={t.order.cancelFailed}>
              {trouble(problem)}
            </Notice>
          )}
          <form onSubmit={(event) => void cancel(event)} className="form">
            <fieldset>
              <legend>{t.order.reason}</legend>
              {t.order.reasons.map((text, index) => (
                <label key={text} className="card">
                  <input type="radio" name="reason" checked={reason === index} onChange={() => setReason(index)} />
                  <span>{text}</span>
                </label>
              ))}
            </fieldset>
            <p className="acts">
              <button type="submit" className="danger" aria-disabled={busy}>
                {t.order.cancelNow}
              </button>
              <button type="button" onClick={() => setOpen(false)}>
                {t.order.keep}
              </button>
            </p>
          </form>
        </Dialog>
      )}
    </>
  )
}
