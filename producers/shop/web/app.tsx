import { useEffect, useRef } from 'react'
import { useAddress } from '../../../infra/web/client/router.tsx'
import { Link } from '../../../infra/web/client/router.tsx'
import { Notice } from '../../../infra/web/client/notice.tsx'
import { attempt } from './api/checkout.ts'
import { session, takeTokenFromAddress } from './api/session.ts'
import { BasketPage } from './pages/basket.tsx'
import { Checkout } from './pages/checkout.tsx'
import { Order } from './pages/order.tsx'
import { Orders } from './pages/orders.tsx'
import { Products } from './pages/products.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { Shell } from './shell.tsx'
import { Empty } from './parts/empty.tsx'
import { useWords, WithWords } from './texts/texts.tsx'

takeTokenFromAddress()

export const App = () => (
  <WithWords>
    <Page />
  </WithWords>
)

/** Pages are below `/shop`. */
function Page() {
  const [, section = '', id] = useAddress().path
  const { t } = useWords()
  const needsToken = session.useSignInAsked()
  const open = attempt.use()
  const titles: Record<string, string> = {
    '': t.products.title,
    basket: t.basket,
    checkout: t.checkout.title,
    orders: id === undefined ? t.orders : t.order.title(id.slice(-6)),
  }
  const title = needsToken ? t.signIn.title : (titles[section] ?? t.noPage.title)
  useTitle(`${title} · ${t.shop}`)
  return (
    <Shell section={section}>
      {open && section !== 'checkout' && !needsToken && (
        <Notice kind="warn" title={t.checkout.open}>
          <Link to="/shop/checkout">{t.checkout.openLink}</Link>
        </Notice>
      )}
      {needsToken ? <SignIn /> : <Section section={section} id={id} />}
    </Shell>
  )
}

function Section({ section, id }: { section: string; id: string | undefined }) {
  const { t } = useWords()
  if (section === '') return <Products />
  if (section === 'basket') return <BasketPage />
  if (section === 'checkout') return <Checkout />
  if (section === 'orders') return id === undefined ? <Orders /> : <Order key={id} orderId={id} />
  return <Empty title={t.noPage.title} text={t.noPage.text} isPage />
}

/** The page's title; a change of the page is also told to screen readers by moving the focus to its content. */
function useTitle(title: string): void {
  const first = useRef(true)
  useEffect(() => {
    document.title = title
    if (!first.current) {
      getSelection()?.removeAllRanges() // A double click on the button that led here
      document.getElementById('main')?.focus({ preventScroll: true })
    }
    first.current = false
  }, [title])
}
