import { createRequire } from 'node:module'

const patchedVersion = '2.2.4'

/** Loads internal modules of kafkajs, as `kafkajs/src/…`. */
export const requireInternal = createRequire(import.meta.url)

/** @returns a function that applies the patch once per process, and only to the version of kafkajs it is made for */
export function patchOf(apply: () => void): () => void {
  let applied = false
  return () => {
    if (applied) return
    applied = true
    const { version } = requireInternal('kafkajs/package.json') as { version: string }
    if (version === patchedVersion) apply()
  }
}

/** kafkajs' membership in a group. Its method that joins has a symbol for a name. */
export type JoiningGroup = Record<symbol, () => Promise<void>>

/** @returns the method that makes one attempt to join, and a function that replaces it */
export function joinOf<G extends JoiningGroup>(prototype: G) {
  const symbol = Object.getOwnPropertySymbols(prototype).find(({ description }) => description?.endsWith(':join'))!
  const methods: JoiningGroup = prototype
  return {
    original: methods[symbol]!,
    replace: (join: (this: G) => Promise<void>) => void (methods[symbol] = join),
  }
}
