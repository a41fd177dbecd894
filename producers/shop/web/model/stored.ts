import { useSyncExternalStore } from 'react'

/** A value in the browser's storage, as JSON; what cannot be read counts as absent. Changes of other tabs arrive, too. */
export class Stored<T> {
  private readonly key: string
  private readonly fallback: T
  private readonly storage: () => Storage
  private readonly listeners = new Set<() => void>()
  private text: string | null = null
  private value: T

  /** @param storage where it is kept: `localStorage` for all tabs, `sessionStorage` for this one, also over a reload */
  constructor(key: string, fallback: T, storage: () => Storage) {
    this.key = `tally.shop.${key}`
    this.fallback = fallback
    this.storage = storage
    this.value = fallback
  }

  get = (): T => {
    const text = this.read()
    if (text !== this.text) {
      this.text = text
      this.value = text === null ? this.fallback : parse(text, this.fallback)
    }
    return this.value
  }

  set(value: T): void {
    this.value = value
    this.text = JSON.stringify(value)
    try {
      this.storage().setItem(this.key, this.text)
    } catch {
      this.read = () => this.text // No storage: the value lasts as long as the page
    }
    this.tell()
  }

  clear(): void {
    this.set(this.fallback)
  }

  /** The value, kept up to date while the component is shown. */
  use = (): T => useSyncExternalStore(this.subscribe, this.get)

  private read = (): string | null => {
    try {
      return this.storage().getItem(this.key)
    } catch {
      return this.text
    }
  }

  private subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    window.addEventListener('storage', listener)
    return () => {
      this.listeners.delete(listener)
      window.removeEventListener('storage', listener)
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener()
  }
}

function parse<T>(text: string, fallback: T): T {
  try {
    return JSON.parse(text) as T
  } catch {
    return fallback
  }
}
