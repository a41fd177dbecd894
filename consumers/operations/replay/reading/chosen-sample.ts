import { createHash } from 'node:crypto'
import type { ChosenRecord, Stretch } from './read-stretches.ts'

/** The first events of a plan in time, or a random sample that is the same for the same seed. */
export type Sampling = { readonly first: number } | { readonly sample: number; readonly seed: number }

/** Returns some of the selected records, in their order. Reads no further than necessary. */
export async function takeSome(stretches: AsyncIterable<Stretch>, sampling: Sampling): Promise<ChosenRecord[]> {
  if ('sample' in sampling) return sampleOf(stretches, sampling.sample, sampling.seed)
  const taken: ChosenRecord[] = []
  for await (const { chosen } of stretches) {
    taken.push(...chosen)
    if (taken.length >= sampling.first) break
  }
  return taken.slice(0, sampling.first)
}

/** The records whose places have the smallest hashes: a uniform sample in bounded memory. */
async function sampleOf(stretches: AsyncIterable<Stretch>, count: number, seed: number): Promise<ChosenRecord[]> {
  let drawn: { lot: string; order: number; record: ChosenRecord }[] = []
  let order = 0
  const cut = () => {
    drawn = drawn.sort((a, b) => (a.lot < b.lot ? -1 : 1)).slice(0, count)
  }
  for await (const { chosen } of stretches) {
    for (const record of chosen) {
      const lot = createHash('sha1')
        .update(`${seed}/${record.topic}/${record.partition}/${record.offset}`)
        .digest('hex')
      drawn.push({ lot, order: order++, record })
    }
    if (drawn.length > 2 * count) cut()
  }
  cut()
  return drawn.sort((a, b) => a.order - b.order).map(({ record }) => record)
}
