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
