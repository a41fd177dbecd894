import { createHash } from 'node:crypto'
import type { ChosenRecord, Stretch } from './read-stretches.ts'

/** Which of a plan's events are looked at: the first in time, or some of all, the same ones for the same seed. */
export type Sampling = { readonly first: number } | { readonly sample: number; readonly seed: number }

/** Takes some of the chosen records, in the order they come. Reads no further than it must. */
export async function takeSome(stretches: AsyncIterable<Stretch>, sampling: Sampling): Promise<ChosenRecord[]> {
  if ('sample' in sampling) return sampleOf(stretches, sampling.sample, sampling.seed)
  const taken: ChosenRecord[] = []
  for await (const { chosen } of stretches) {
    taken.push(...chosen)
    if (taken.length >= sampling.first) break
  }
  return taken.slice(0, sampling.first)
}

/** Those whose places have the least hashes: every record has the same chance, and memory holds no more than are wanted. */
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
