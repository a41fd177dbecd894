import { TallyError } from '../errors.ts'

export interface Gathering<Item, Result> {
  /**
   * Adds an item to the next group.
   * @throws TallyError UNREACHABLE if too many items wait; what `run` throws
   */
  add(item: Item): Promise<Result>
  /** Resolves when no item is in flight or waiting. */
  idle(): Promise<void>
}

export interface GatherOptions {
  /** @default 500 */
  maxGroup?: number
  /** @default 5000 */
  maxWaiting?: number
}

/**
 * Gathers the items that arrive during a call and passes them to the next call: single items when there is little to do,
 * large groups under load, without waiting for more. When a call fails, all waiting items fail with it instead of queueing
 * for a server that does not answer.
 * @param run one result per item, in order
 */
export function gather<Item, Result>(
  run: (items: Item[]) => Promise<Result[]>,
  { maxGroup = 500, maxWaiting = 5_000 }: GatherOptions = {},
): Gathering<Item, Result> {
  const waiting: { item: Item; settle: PromiseWithResolvers<Result> }[] = []
  let draining: Promise<void> | undefined

  const drain = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxGroup)
      try {
        const results = await run(group.map(({ item }) => item))
        for (const [index, { settle }] of group.entries()) settle.resolve(results[index] as Result)
      } catch (error) {
        for (const { settle } of [...group, ...waiting.splice(0)]) settle.reject(error)
      }
    }
    draining = undefined
  }

  return {
    add(item) {
      if (waiting.length >= maxWaiting) {
        return Promise.reject(new TallyError('UNREACHABLE', `${maxWaiting} requests wait for the database already`))
      }
      const settle = Promise.withResolvers<Result>()
      waiting.push({ item, settle })
      draining ??= drain()
      return settle.promise
    },
    idle: async () => draining,
  }
}
