import { useEffect, useRef, useState } from 'react'
import type { FormEvent } from 'react'
import type { NewOrder } from '../../../orders-api/http/contract.ts'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import type { Problem } from '../api/ask.ts'
import { address } from '../api/checkout.ts'
import { useWords } from '../texts/texts.tsx'

type Details = Pick<NewOrder, 'shipTo' | 'paymentMethod'>

const cards = [
  { token: 'card_test_accepted', name: 'accepted', digits: '4242' },
  { token: 'card_test_declined', name: 'declined', digits: '0002' },
] as const

/** `autocomplete` by field, in the order of the page. */
const fields = [
  ['recipient', 'name', 200],
  ['street', 'street-address', 200],
  ['postalCode', 'postal-code', 20],
  ['city', 'address-level2', 200],
  ['country', 'country-name', 100],
] as const
type Field = (typeof fields)[number][0]
export type Card = (typeof cards)[number]['token']

const none = { recipient: '', street: '', postalCode: '', city: '', country: '' }

interface CheckoutFormProps {
  /** The API's refusal of the last attempt. */
  readonly refusal: Problem | undefined
  readonly card: Card
  readonly onCard: (card: Card) => void
  /** Names of the articles, in the order of the lines. */
  readonly articles: readonly string[]
  readonly onSubmit: (details: Details) => void
}

export function CheckoutForm({ refusal, card, onCard, articles, onSubmit }: CheckoutFormProps) {
  const { t, trouble } = useWords()
  const [shipTo, setShipTo] = useState(() => address.get() ?? none)
  const [missing, setMissing] = useState<readonly Field[]>([])
  const form = useRef<HTMLFormElement>(null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const empty = fields.map(([name]) => name).filter((name) => name !== 'postalCode' && shipTo[name].trim() === '')
    setMissing(empty)
    if (empty.length === 0) return onSubmit({ shipTo, paymentMethod: card })
    const first = form.current?.elements.namedItem(empty[0] ?? '')
    if (first instanceof HTMLElement) first.focus()
  }
  const summary = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (refusal) summary.current?.focus()
  }, [refusal])
  const refused = new Set(refusal?.errors?.map(({ path }) => path))
  const wrong = (name: Field): string | undefined =>
    missing.includes(name) ? t.checkout.required : refused.has(`/shipTo/${name}`) ? t.checkout.invalid : undefined
  return (
    <form className="form" onSubmit={submit} noValidate ref={form}>
      {refusal && (
        <div ref={summary} tabIndex={-1}>
          <Notice kind="bad" title={t.checkout.refused}>
            <p>{t.checkout.refusedText}</p>
            <p>{trouble(refusal)}</p>
            {refusal.errors && (
              <ul lang="en">
                {refusal.errors.map(({ path, message }) => (
                  <li key={path}>
                    {articles[Number(/^\/lines\/(\d+)\//.exec(path)?.[1])] ?? path}: {message}
                  </li>
                ))}
              </ul>
            )}
          </Notice>
        </div>
      )}
      <fieldset>
        <legend>{t.checkout.address}</legend>
        {fields.map(([name, autoComplete, maxLength]) => (
          <div key={name} className={`field ${name}`}>
            <label htmlFor={name}>
              {t.checkout[name]} {name === 'postalCode' && <small>({t.checkout.optional})</small>}
            </label>
            <input
              id={name}
              name={name}
              autoComplete={autoComplete}
              maxLength={maxLength}
              required={name !== 'postalCode'}
              value={shipTo[name]}
              aria-invalid={wrong(name) !== undefined}
              aria-describedby={wrong(name) && `${name}-wrong`}
              onChange={({ target }) => setShipTo({ ...shipTo, [name]: target.value })}
            />
            {wrong(name) && (
              <p className="bad" id={`${name}-wrong`}>
                {wrong(name)}
              </p>
            )}
          </div>
        ))}
      </fieldset>
      <fieldset>
        <legend>{t.checkout.payment}</legend>
        <p>{t.checkout.paymentText}</p>
        {cards.map(({ token, name, digits }) => (
          <label key={token} className="card">
            <input type="radio" name="card" value={token} checked={card === token} onChange={() => onCard(token)} />
            <span>
              {t.checkout[name]} <small>{t.checkout.ending(digits)}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <button type="submit" className="primary large">
        {t.checkout.place}
      </button>
    </form>
  )
}
