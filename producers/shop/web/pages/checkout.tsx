import { useEffect, useRef, useState } from 'react'
import type { NewOrder } from '../../../orders-api/http/contract.ts'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { navigate } from '../../../../infra/web/client/router.tsx'
import type { Problem } from '../api/ask.ts'
import { attempt, basket, prepare, sendAttempt } from '../api/checkout.ts'
import type { Attempt } from '../api/checkout.ts'
import { catalogue } from '../api/sources.ts'
import { amountOf, linesOf, totalsOf } from '../model/basket.ts'
import type { BasketLine } from '../model/basket.ts'
import { Loaded } from '../parts/loaded.tsx'
import { useWords } from '../texts/texts.tsx'
import { EmptyBasket } from './basket.tsx'
import { CheckoutForm } from './checkout-form.tsx'
import type { Card } from './checkout-form.tsx'

/** An order that nobody has answered is sent again so often. */
const againMs = 3_000

export function Checkout() {
  const { t } = useWords()
  const products = catalogue.use()
  const content = basket.use()
  const { open, refusal, problem, place } = usePlacing()
  const [card, setCard] = useState<Card>('card_test_accepted')
  if (open) return <Waiting order={open.order} problem={problem} />
  return (
    <>
      <h1>{t.checkout.title}</h1>
      {Object.keys(content).length === 0 ? (
        <EmptyBasket />
      ) : (
        <Loaded reading={products} onAgain={() => void catalogue.refresh()}>
          {(all) => {
            const lines = linesOf(content, all).filter(({ product }) => product)
            const [total] = totalsOf(lines)
            if (!total) return <EmptyBasket />
            const ordered = lines.filter(({ product }) => product?.currency === total.currency)
            return (
              <div className="checkout">
                <CheckoutForm
                  refusal={refusal}
                  card={card}
                  onCard={setCard}
                  articles={ordered.map(({ sku, product }) => product?.name ?? sku)}
                  onSubmit={(details) =>
                    place({
                      currency: total.currency,
                      lines: ordered.map(({ sku, quantity }) => ({ sku, quantity })),
                      ...details,
                    })
                  }
                />
                <Summary lines={ordered} total={total} />
              </div>
            )
          }}
        </Loaded>
      )}
    </>
  )
}

/** Places the order, and keeps sending it until there is an answer: after a reload, too. */
function usePlacing() {
  const open = attempt.use()
  const [problem, setProblem] = useState<Problem>()
  const [refusal, setRefusal] = useState<Problem>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const hasLeft = useRef(false)
  const send = async (each: Attempt) => {
    const outcome = await sendAttempt(each)
    if (hasLeft.current) return // Nobody is led away from the page that they went to
    if (outcome.kind === 'placed') return navigate(`/shop/orders/${outcome.order.orderId}`, { replace: true })
    if (outcome.kind === 'refused') return setRefusal(outcome.problem)
    setProblem(outcome.problem)
    timer.current = setTimeout(() => void send(each), againMs)
  }
  useEffect(() => {
    hasLeft.current = false
    const unanswered = attempt.get()
    if (unanswered) void send(unanswered)
    return () => {
      hasLeft.current = true
      clearTimeout(timer.current)
    }
  }, [])
  const place = (order: Omit<NewOrder, 'customerId'>) => {
    setRefusal(undefined)
    setProblem(undefined)
    void send(prepare(order))
  }
  return { open, refusal, problem, place }
}

/** While an order is on its way it cannot be changed: nobody knows whether it has arrived. */
function Waiting({ order, problem }: { order: NewOrder; problem: Problem | undefined }) {
  const { t, number, trouble } = useWords()
  const units = order.lines.reduce((sum, { quantity }) => sum + quantity, 0)
  return (
    <section className="narrow">
      <h1>{t.checkout.title}</h1>
      {problem ? (
        <Notice kind="warn" title={t.checkout.unanswered}>
          <p>{t.checkout.unansweredText}</p>
          <p>{trouble(problem)}</p>
        </Notice>
      ) : null}
      <p className="loading" role="status">
        {t.checkout.placing}
      </p>
      <p>
        {t.inBasket(number(units))} · {order.shipTo.recipient}, {order.shipTo.city}
      </p>
    </section>
  )
}

function Summary({ lines, total }: { lines: readonly BasketLine[]; total: { currency: string; totalMinor: string } }) {
  const { t, money, number } = useWords()
  return (
    <aside className="summary" aria-label={t.checkout.summary}>
      <h2>{t.checkout.summary}</h2>
      <ul>
        {lines.map(({ sku, quantity, product }) => (
          <li key={sku}>
            <span>
              {number(quantity)} × {product?.name}
            </span>
            <span>{product && money(amountOf(product.unitPriceMinor, quantity), product.currency)}</span>
          </li>
        ))}
      </ul>
      <p className="total">
        <span>{t.basketPage.total}</span>
        <span>{money(total.totalMinor, total.currency)}</span>
      </p>
    </aside>
  )
}
