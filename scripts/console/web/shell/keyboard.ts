import { useEffect, useRef } from 'react'

/** By key as `KeyboardEvent.key` names it; `g o` is g, then o. */
export type Keys = Readonly<Record<string, () => void>>

const prefixMs = 1_500

/** Keys of the page. They do nothing while the operator types, or holds a modifier key. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys)
  current.current = keys
  useEffect(() => {
    let prefix: { key: string; at: number } | undefined
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return
      if (isTyping(event.target) && event.key !== 'Escape') return
      if (document.querySelector('dialog[open]')) return // Esc is the dialog's, whatever has the focus
      const key = prefix && event.timeStamp - prefix.at < prefixMs ? `${prefix.key} ${event.key}` : event.key
      const isPrefix = Object.keys(current.current).some((each) => each.startsWith(`${key} `))
      prefix = isPrefix ? { key, at: event.timeStamp } : undefined
      const act = current.current[key]
      if (!act) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Moves the focus among the rows of the page (`data-row`). */
export function moveFocus(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]
  const focusable = row?.matches('a,button,[tabindex]') ? row : row?.querySelector<HTMLElement>('a,button,summary')
  focusable?.focus()
  row?.scrollIntoView({ block: 'nearest' })
}
