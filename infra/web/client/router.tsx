import { useSyncExternalStore } from 'react'
import type { MouseEvent, ReactNode } from 'react'

const changed = 'tally:navigated'

/** Goes to a page of the site. @param replace leaves no entry in the history, as for a filter that is being typed */
export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  window.dispatchEvent(new Event(changed))
  if (!replace) window.scrollTo(0, 0)
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('popstate', onChange)
  window.addEventListener(changed, onChange)
  return () => {
    window.removeEventListener('popstate', onChange)
    window.removeEventListener(changed, onChange)
  }
}

export interface Address {
  /** Decoded parts of the path: `['orders', 'o-1']`. */
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

/** The address of the page that is shown. */
export function useAddress(): Address {
  const href = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  const url = new URL(href, location.origin)
  return { path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent), query: url.searchParams }
}

/** Keeps the address bar in step with filters. Empty values leave the address. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(changes))
    if (value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  navigate(url.pathname + url.search, { replace: true })
}

interface LinkProps {
  readonly to: string
  readonly children: ReactNode
  readonly className?: string
  readonly 'aria-current'?: 'page'
  readonly title?: string
}

/** A link within the site. With a modifier key the browser opens it as it does any link. */
export function Link({ to, children, ...rest }: LinkProps) {
  const onClick = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} onClick={onClick} {...rest}>
      {children}
    </a>
  )
}
