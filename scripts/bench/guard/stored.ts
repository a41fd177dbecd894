import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Allocations } from './allocations.ts'
import type { Ratios } from './ratios.ts'

/** The reference of the guard. It is in git, so that a commit must show every regression that it accepts. */
export interface Stored {
  readonly ratios: Ratios
  readonly allocations: Allocations
}

const path = join(import.meta.dirname, 'stored.json')

export const readStored = (): Stored => JSON.parse(readFileSync(path, 'utf8')) as Stored

export const writeStored = (stored: Stored): void => writeFileSync(path, `${JSON.stringify(stored, null, 2)}\n`)

/** A larger drop is a regression. */
const leastShare = 0.75
const mostGrowth = 1.5

/** A sentence if the ratio is too small. */
export function whyTooSlow(name: keyof Ratios, measured: number, { ratios }: Stored): string | undefined {
  const least = ratios[name] * leastShare
  if (measured >= least) return undefined
  return `${name} is ${measured.toFixed(2)} × the naive peer, below the limit of ${least.toFixed(2)} (reference ${ratios[name].toFixed(2)})`
}

/** A sentence for each step that allocates too much, or is only measured or only stored. */
export function whatAllocatesMore(measured: Allocations, { allocations }: Stored): string[] {
  const names = [...new Set([...Object.keys(measured), ...Object.keys(allocations)])]
  return names.flatMap((name) => {
    const [now = Number.NaN, before = Number.NaN] = [measured[name], allocations[name]]
    return now <= before * mostGrowth ? [] : `${name} allocates ${now} bytes per event, ${before} in the reference`
  })
}
