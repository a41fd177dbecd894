import { measureAllocations } from './allocations.ts'
import { measureRatio } from './ratios.ts'
import type { RatioOptions, Ratios } from './ratios.ts'
import { readStored, whatAllocatesMore, whyTooSlow, writeStored } from './stored.ts'

/** Attempts per ratio: one measurement cannot tell a regression from noise, two can. */
const attempts = 2
/** Share of a measured ratio that is stored as the reference, because servers and machines differ. */
const cautious = 0.9

/**
 * Compares with the stored reference: short forms of hop and saga, as ratios to their naive peers in the same run, and the
 * allocations of pure code.
 * @returns a sentence for each regression
 */
export async function guard(options: RatioOptions): Promise<string[]> {
  const stored = readStored()
  const complaints = whatAllocatesMore(await measureAllocations(), stored)
  for (const name of Object.keys(measureRatio) as (keyof Ratios)[]) {
    let complaint: string | undefined
    for (let attempt = 0; attempt < attempts; attempt++) {
      complaint = whyTooSlow(name, await measureRatio[name](options), stored)
      if (complaint === undefined) break
    }
    if (complaint !== undefined) complaints.push(complaint)
  }
  return complaints
}

/** Measures and stores a new reference: the smaller of two ratios, reduced by a tenth. */
export async function storeGuard(options: RatioOptions): Promise<void> {
  const least = async (name: keyof Ratios) => {
    const measured = [await measureRatio[name](options), await measureRatio[name](options)]
    return Number((Math.min(...measured) * cautious).toFixed(2))
  }
  writeStored({
    ratios: { hop: await least('hop'), saga: await least('saga') },
    allocations: await measureAllocations(),
  })
}
