import type { Drained } from '../../../infra/testing/queues/drain.ts'
import type { Published } from '../../runtime/testing/test-bench.ts'
import { keyOf } from '../../../schemas/topics.ts'

/** How what came out of a queue differs from what was published; all empty if it is right. */
export interface Difference {
  /** Ids of events that did not come out. */
  readonly missing: string[]
  /** Ids that came out and were never published. */
  readonly foreign: string[]
  /** Keys whose events first came out in another order. */
  readonly disordered: string[]
}

/** Compares by event id. Repeats are allowed: only the first of each id counts. */
export function compare(published: readonly Required<Published>[], drained: readonly Drained[]): Difference {
  const out = new Map(drained.map(({ id, subject }) => [id, subject] as const)) // In the order of their first occurrence
  const ids = new Set(published.map(({ id }) => id))
  const keys = Map.groupBy(published, ({ data }) => keyOf(data))
  const firsts = Map.groupBy(out, ([, subject]) => subject)
  return {
    missing: [...ids].filter((id) => !out.has(id)),
    foreign: [...out.keys()].filter((id) => !ids.has(id)),
    disordered: [...keys]
      .filter(([key, events]) => {
        const came = (firsts.get(key) ?? []).map(([id]) => id)
        const went = events.map(({ id }) => id).filter((id) => out.has(id))
        return came.join() !== went.join()
      })
      .map(([key]) => key),
  }
}

export const noDifference: Difference = { missing: [], foreign: [], disordered: [] }
