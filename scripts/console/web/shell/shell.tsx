import type { FormEvent, RefObject } from 'react'
import type { Summary } from '../../contract/lanes.ts'
import { live, useConnection, useFeed } from '../live/live.ts'
import { sections } from './nav.ts'
import { Link, navigate } from '../../../../infra/web/client/router.tsx'
import type { Address } from '../../../../infra/web/client/router.tsx'
import { useTheme } from '../../../../infra/web/client/theme.ts'
import { Actor } from './actor.tsx'

interface RailProps {
  readonly address: Address
  readonly search: RefObject<HTMLInputElement | null>
  readonly onHelp: () => void
}

/** Navigation and search, and what concerns all pages. */
export function Rail({ address, search, onHelp }: RailProps) {
  const current = `/${address.path[0] ?? 'orders'}`
  const summary = useFeed<Summary>('summary').data
  const find = (event: FormEvent) => {
    event.preventDefault()
    const text = search.current?.value.trim() ?? ''
    navigate(text === '' ? '/orders' : `/orders?text=${encodeURIComponent(text)}`)
    search.current?.blur()
  }
  return (
    <header className="rail">
      <Link to="/orders" className="brand">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <rect width="32" height="32" rx="7" className="brand-ground" />
          <path d="M8.500 8v16M13.500 8v16M18.500 8v16M23.500 8v16" className="brand-strokes" />
          <path d="M5.500 21.500 26.500 10.500" className="brand-bar" />
        </svg>
        Tally
      </Link>
      <search>
        <form onSubmit={find}>
          <input
            ref={search}
            type="search"
            aria-label="Search orders by id, customer or tracking number"
            title="Order id, customer id or tracking number"
            placeholder="Find an order"
            defaultValue={address.query.get('text') ?? ''}
            aria-keyshortcuts="/"
          />
          <kbd aria-hidden="true">/</kbd>
        </form>
      </search>
      <nav aria-label="Pages">
        <ul>
          {sections.map(({ path, title, key }) => (
            <li key={path}>
              <Link to={path} aria-current={path === current ? 'page' : undefined}>
                <span>{title}</span>
                <Count section={path} summary={summary} />
                <kbd aria-hidden="true">g {key}</kbd>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="rail-foot">
        <LiveSwitch />
        <Actor />
        <div className="rail-buttons">
          <ThemeSwitch />
          <button type="button" className="quiet" onClick={onHelp} aria-keyshortcuts="?">
            Keys <kbd aria-hidden="true">?</kbd>
          </button>
        </div>
      </div>
    </header>
  )
}

/** What waits for an operator behind a page. */
function Count({ section, summary }: { section: string; summary: Summary | undefined }) {
  const count = { '/parked': summary?.forOperator, '/lanes': summary?.troubledLanes }[section]
  if (!count) return null
  return (
    <span className="count">
      {count.toLocaleString('en')}
      <span className="sr-only"> for an operator</span>
    </span>
  )
}

const words = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost',
  paused: 'Paused',
  'signed-out': 'Signed out',
} as const

function LiveSwitch() {
  const connection = useConnection()
  const isPaused = connection === 'paused'
  return (
    <button
      type="button"
      className={`live is-${connection}`}
      aria-keyshortcuts="p"
      disabled={connection === 'signed-out'}
      title={isPaused ? 'Resume live updates (p)' : 'Pause live updates (p)'}
      onClick={() => live.setPaused(!isPaused)}
    >
      <span className="dot" aria-hidden="true" />
      <span>{words[connection]}</span>
      {connection !== 'signed-out' && <span className="hint">{isPaused ? 'Resume' : 'Pause'}</span>}
    </button>
  )
}

function ThemeSwitch() {
  const [theme, turn] = useTheme()
  return (
    <button type="button" className="quiet" onClick={turn} title="Change the colours: system, dark, light">
      {{ system: 'Auto', dark: 'Dark', light: 'Light' }[theme]}
    </button>
  )
}
