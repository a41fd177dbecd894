import { useSyncExternalStore } from 'react'

const key = 'tally.actor'
const listeners = new Set<() => void>()
let chosen = localStorage.getItem(key)

/** The name under which the operator's acts are audited. */
export function setActor(name: string): void {
  chosen = name
  localStorage.setItem(key, name)
  for (const listener of listeners) listener()
}

/** @param otherwise the user who runs the server */
export const useActor = (otherwise: string): string =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => chosen ?? otherwise,
  )

/** For a request; undefined leaves it to the server. */
export const actorToSend = (): string | undefined => chosen?.trim() || undefined
