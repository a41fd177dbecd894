import { useDeferredValue, useState } from 'react'
import type { Product } from '../../../orders-api/http/contract.ts'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { basket } from '../api/checkout.ts'
import { catalogue, stock } from '../api/sources.ts'
import { withMore } from '../model/basket.ts'
import { Loaded } from '../parts/loaded.tsx'
import { Picture } from '../parts/picture.tsx'
import { useWords } from '../texts/texts.tsx'

const shownAtFirst = 24

export function Products() {
  const { t } = useWords()
  const products = catalogue.use()
  return (
    <>
      <h1>{t.products.title}</h1>
      <Loaded reading={products} onAgain={() => void catalogue.refresh()}>
        {(all) =>
          all.size === 0 ? (
            <section className="empty">
              <h2>{t.products.empty}</h2>
              <p>{t.products.emptyText}</p>
            </section>
          ) : (
            <Shelf products={[...all.values()]} />
          )
        }
      </Loaded>
    </>
  )
}

function Shelf({ products }: { products: readonly Product[] }) {
  const { t, number } = useWords()
  const [text, setText] = useState('')
  const [shown, setShown] = useState(shownAtFirst)
  const [added, setAdded] = useState('')
  const levels = stock.use()
  const words = useDeferredValue(text).toLowerCase().split(/\s+/).filter(Boolean)
  const found = products.filter(({ name, sku }) => words.every((word) => `${name} ${sku}`.toLowerCase().includes(word)))
  const add = ({ sku, name }: Product) => {
    basket.set(withMore(basket.get(), sku, 1))
    setAdded(t.products.added(name, number(basket.get()[sku] ?? 0)))
  }
  return (
    <>
      {levels.problem && (
        <Notice kind="warn" title={t.products.stockLost}>
          {t.products.stockLostText}
        </Notice>
      )}
      <search className="find">
        <label>
          <span>{t.products.find}</span>
          <input
            type="search"
            value={text}
            onChange={({ target }) => (setText(target.value), setShown(shownAtFirst))}
          />
        </label>
        <span role="status">{t.products.found(number(found.length))}</span>
      </search>
      <p className="sr-only" role="status">
        {added}
      </p>
      {found.length === 0 && (
        <section className="empty">
          <h2>{t.products.none}</h2>
          <p>{t.products.noneText}</p>
          <button type="button" onClick={() => setText('')}>
            {t.products.showAll}
          </button>
        </section>
      )}
      <ul className="shelf">
        {found.slice(0, shown).map((product) => (
          <Article
            key={product.sku}
            product={product}
            onHand={levels.data && (levels.data.get(product.sku) ?? '0')}
            onAdd={() => add(product)}
          />
        ))}
      </ul>
      {found.length > shown && (
        <p className="more">
          <button type="button" onClick={() => setShown(shown + shownAtFirst)}>
            {t.products.more}
          </button>
        </p>
      )}
    </>
  )
}

interface ArticleProps {
  readonly product: Product
  /** Text, int64; undefined if unknown. */
  readonly onHand: string | undefined
  readonly onAdd: () => void
}

function Article({ product: { sku, name, unitPriceMinor, currency }, onHand, onAdd }: ArticleProps) {
  const { t, money, number } = useWords()
  const inBasket = basket.use()[sku] ?? 0
  const isOut = onHand !== undefined && BigInt(onHand) <= 0n
  return (
    <li className="article">
      <Picture name={name} />
      <h2>{name}</h2>
      <p className="price">{money(unitPriceMinor, currency)}</p>
      <StockLevel onHand={onHand} />
      <button type="button" className="primary" disabled={isOut} onClick={onAdd}>
        {t.products.add}
        <span className="sr-only">: {name}</span>
        {inBasket > 0 && <span className="count">{number(inBasket)}</span>}
      </button>
    </li>
  )
}

/** From so many units on it is not said that there are few. */
const few = 10n

/** Units on hand, told by words and colour. @param onHand text, int64; undefined if unknown */
function StockLevel({ onHand }: { onHand: string | undefined }) {
  const { t, number } = useWords()
  if (onHand === undefined) return <span className="stock unknown">{t.products.stockUnknown}</span>
  const units = BigInt(onHand)
  if (units <= 0n) return <span className="stock out">{t.products.soldOut}</span>
  return units < few ? (
    <span className="stock few">{t.products.few(number(onHand))}</span>
  ) : (
    <span className="stock">{t.products.inStock(number(onHand))}</span>
  )
}
