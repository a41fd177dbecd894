import { Notice } from '../../../../infra/web/client/notice.tsx'
import { navigate } from '../../../../infra/web/client/router.tsx'
import { basket } from '../api/checkout.ts'
import { catalogue, stock } from '../api/sources.ts'
import { amountOf, limits, linesOf, totalsOf, withQuantity } from '../model/basket.ts'
import type { BasketLine } from '../model/basket.ts'
import { Empty } from '../parts/empty.tsx'
import { Loaded } from '../parts/loaded.tsx'
import { Picture } from '../parts/picture.tsx'
import { useWords } from '../texts/texts.tsx'

export function BasketPage() {
  const { t } = useWords()
  const content = basket.use()
  const products = catalogue.use()
  return (
    <>
      <h1>{t.basket}</h1>
      {Object.keys(content).length === 0 ? (
        <EmptyBasket />
      ) : (
        <Loaded reading={products} onAgain={() => void catalogue.refresh()}>
          {(all) => <Lines lines={linesOf(content, all)} />}
        </Loaded>
      )}
    </>
  )
}

export function EmptyBasket() {
  const { t } = useWords()
  return <Empty title={t.basketPage.empty} text={t.basketPage.emptyText} />
}

function Lines({ lines }: { lines: readonly BasketLine[] }) {
  const { t, money } = useWords()
  const levels = stock.use().data
  const totals = totalsOf(lines)
  const canOrder = totals.length === 1 && lines.every(({ product }) => product)
  return (
    <>
      {totals.length > 1 && (
        <Notice kind="warn" title={t.basketPage.currencies}>
          {t.basketPage.currenciesText}
        </Notice>
      )}
      <ul className="lines">
        {lines.map((line) => (
          <Line key={line.sku} line={line} onHand={levels && (levels.get(line.sku) ?? '0')} />
        ))}
      </ul>
      <div className="sum">
        <dl>
          <dt>{t.basketPage.total}</dt>
          {totals.map(({ currency, totalMinor }) => (
            <dd key={currency}>{money(totalMinor, currency)}</dd>
          ))}
        </dl>
        <button type="button" className="primary" disabled={!canOrder} onClick={() => navigate('/shop/checkout')}>
          {t.basketPage.checkout}
        </button>
      </div>
    </>
  )
}

function Line({ line: { sku, quantity, product }, onHand }: { line: BasketLine; onHand: string | undefined }) {
  const { t, money, number } = useWords()
  const name = product?.name ?? sku
  const change = (to: number) => basket.set(withQuantity(basket.get(), sku, to))
  const isTooMuch = product && onHand !== undefined && BigInt(quantity) > BigInt(onHand)
  return (
    <li className="line">
      <Picture name={name} />
      <div className="line-name">
        <h2>{name}</h2>
        {product ? (
          <p>{money(product.unitPriceMinor, product.currency)}</p>
        ) : (
          <p className="bad">{t.basketPage.gone}</p>
        )}
        {isTooMuch && (
          <p className="bad" role="status">
            {onHand === '0' ? t.products.soldOut : t.basketPage.tooFew(number(onHand))}
          </p>
        )}
      </div>
      <label className="quantity">
        <span className="sr-only">{t.basketPage.quantityOf(name)}</span>
        <input
          type="number"
          min={1}
          max={limits.quantity}
          value={quantity}
          onChange={({ target }) => target.valueAsNumber >= 1 && change(target.valueAsNumber)}
        />
      </label>
      <p className="line-amount">{product && money(amountOf(product.unitPriceMinor, quantity), product.currency)}</p>
      <button type="button" className="quiet" aria-label={t.basketPage.removeName(name)} onClick={() => change(0)}>
        {t.basketPage.remove}
      </button>
    </li>
  )
}
