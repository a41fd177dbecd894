import { TallyError } from '../../../infra/errors.ts'

export interface Gathering<Item, Result> {
  /**
   * Hands an item over with all that wait with it.
   * @throws TallyError UNREACHABLE when too many wait already; what `run` throws
   */
  add(item: Item): Promise<Result>
  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void>
}

export interface GatherOptions {
  /** @default 500 */
  maxGroup?: number
  /** @default 5000 */
  maxWaiting?: number
}

/**
 * Gathers what comes in while a call is under way and hands it over in one call: alone when there is little to do, in
 * big groups under load, never waiting for more. When a call fails, whatever waits fails with it instead of queueing up
 * behind a server that is away.
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
