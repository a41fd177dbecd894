import { useEffect, useRef, useState } from 'react'
import { Flow } from './pages/flow/flow.tsx'
import { Lanes } from './pages/lanes/lanes.tsx'
import { OrderDetail } from './pages/orders/order.tsx'
import { Orders } from './pages/orders/orders.tsx'
import { CauseOfParked } from './pages/parked/parked-cause.tsx'
import { ParkedEvent } from './pages/parked/parked-event.tsx'
import { Parked } from './pages/parked/parked.tsx'
import { ProofPageView } from './pages/proof.tsx'
import { Replays } from './pages/replay/replays.tsx'
import { Records } from './pages/topics/records.tsx'
import { Topics } from './pages/topics/topics.tsx'
import { Help } from './shell/help.tsx'
import { moveFocus, useKeys } from './shell/keyboard.ts'
import { live, useConnection } from './live/live.ts'
import { sections } from './shell/nav.ts'
import { navigate, useAddress } from '../../../infra/web/client/router.tsx'
import type { Address } from '../../../infra/web/client/router.tsx'
import { ConnectionBanner } from './shell/connection-banner.tsx'
import { Rail } from './shell/shell.tsx'
import { SignInDialog, SignInPage } from './shell/sign-in.tsx'
import { useSession } from './live/session.ts'

export function App() {
  const isSignedOut = useConnection() === 'signed-out'
  const session = useSession()
  // A session that ended by itself leaves what it showed
  return isSignedOut && !session ? <SignInPage /> : <Pages />
}

function Pages() {
  const address = useAddress()
  const [help, setHelp] = useState(false)
  const search = useRef<HTMLInputElement>(null)
  const connection = useConnection()
  useKeys({
    '/': () => search.current?.focus(),
    '?': () => setHelp(true),
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    p: () => live.setPaused(connection !== 'paused'),
    Escape: () => (document.activeElement as HTMLElement | null)?.blur(),
    ...Object.fromEntries(sections.map(({ key, path }) => [`g ${key}`, () => navigate(path)])),
  })
  const title = titleOf(address)
  useEffect(() => {
    document.title = `${title} · Tally console`
  }, [title])
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Rail address={address} search={search} onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <ConnectionBanner />
        <Page address={address} />
      </main>
      <SignInDialog />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  )
}

const titleOf = ({ path: [section, ...rest] }: Address): string =>
  rest[0] ?? sections.find(({ path }) => path === `/${section}`)?.title ?? 'Orders'

function Page({ address: { path, query } }: { address: Address }) {
  const [section, id] = path
  switch (section) {
    case undefined:
    case 'orders':
      return id === undefined ? <Orders query={query} /> : <OrderDetail key={id} orderId={id} />
    case 'parked':
      if (id !== undefined) return <ParkedEvent key={path.slice(1).join('/')} name={path.slice(1).join('/')} />
      return query.has('group') ? <CauseOfParked key={query.toString()} query={query} /> : <Parked />
    case 'lanes':
      return <Lanes />
    case 'flow':
      return <Flow />
    case 'replay':
      return <Replays />
    case 'topics':
      return id === undefined ? <Topics /> : <Records topic={id} query={query} />
    case 'proof':
      return <ProofPageView />
    default:
      return (
        <section className="empty">
          <h1>There is no such page</h1>
          <p>The address may be mistyped. The navigation leads to all pages.</p>
        </section>
      )
  }
}
