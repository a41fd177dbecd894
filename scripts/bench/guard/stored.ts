import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Allocations } from './allocations.ts'
import type { Ratios } from './ratios.ts'

/** What the guard compares with. In git: whoever makes it worse has to say so there. */
export interface Stored {
  readonly ratios: Ratios
  readonly allocations: Allocations
}

const path = join(import.meta.dirname, 'stored.json')

export const readStored = (): Stored => JSON.parse(readFileSync(path, 'utf8')) as Stored

export const writeStored = (stored: Stored): void => writeFileSync(path, `${JSON.stringify(stored, null, 2)}\n`)

/** A drop by so much is noise. */
const leastShare = 0.75
const mostGrowth = 1.5

/** Why a ratio is too small; undefined if it is not. */
export function whyTooSlow(name: keyof Ratios, measured: number, { ratios }: Stored): string | undefined {
  const least = ratios[name] * leastShare
  if (measured >= least) return undefined
  return `${name} is ${measured.toFixed(2)} × the naive peer, the least is ${least.toFixed(2)}: slower than when ${ratios[name].toFixed(2)} was stored`
}

/** What allocates too much, or cannot be compared because it is measured or stored only. */
export function whatAllocatesMore(measured: Allocations, { allocations }: Stored): string[] {
  const names = [...new Set([...Object.keys(measured), ...Object.keys(allocations)])]
  return names.flatMap((name) => {
    const [now = Number.NaN, before = Number.NaN] = [measured[name], allocations[name]]
    return now <= before * mostGrowth ? [] : `${name} allocates ${now} bytes an event, ${before} when that was stored`
  })
}
