import { measureAllocations } from './allocations.ts'
import { measureRatio } from './ratios.ts'
import type { RatioOptions, Ratios } from './ratios.ts'
import { readStored, whatAllocatesMore, whyTooSlow, writeStored } from './stored.ts'

/** One figure tells a regression from noise badly, two do it well enough. */
const attempts = 2
/** Of the ratios measured, what is stored: servers and machines differ. */
const cautious = 0.9

/**
 * Compares short forms of hop and saga, as ratios to their naive peers of the same run, and what pure code allocates with
 * what is stored.
 * @returns what became worse
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

/** Stores what is measured now, the smaller of two ratios and a tenth less, as what the guard compares with. */
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
