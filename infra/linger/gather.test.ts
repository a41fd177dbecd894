import { describe, expect, test } from '@jest/globals'
import { gather } from './gather.ts'

/** A call that ends when told to. */
function slowCall() {
  const calls: { items: number[]; end: PromiseWithResolvers<void> }[] = []
  const run = async (items: number[]) => {
    const end = Promise.withResolvers<void>()
    calls.push({ items, end })
    await end.promise
    return items.map((item) => item * 10)
  }
  return { calls, run }
}

describe('gathering', () => {
  test('hands over at once what comes first, and together what comes meanwhile', async () => {
    const { calls, run } = slowCall()
    const { add, idle } = gather(run)
    const results = [add(1), add(2), add(3)]
    expect(calls.map(({ items }) => items)).toEqual([[1]])
    calls[0]?.end.resolve()
    expect(await results[0]).toBe(10)
    expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3]])
    calls[1]?.end.resolve()
    expect(await Promise.all(results)).toEqual([10, 20, 30])
    await idle()
  })

  test('keeps groups within the bound', async () => {
    const sizes: number[] = []
    const { add } = gather(
      async (items: number[]) => {
        sizes.push(items.length)
        return items
      },
      { maxGroup: 2 },
    )
    await Promise.all([1, 2, 3, 4, 5, 6].map(add))
    expect(sizes).toEqual([1, 2, 2, 1])
  })

  test('refuses when too many wait', async () => {
    const { calls, run } = slowCall()
    const { add } = gather(run, { maxWaiting: 1 })
    const taken = [add(1), add(2)]
    await expect(add(3)).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
    for (const turn of [0, 1]) {
      calls[turn]?.end.resolve()
      await taken[turn]
    }
    expect(calls.map(({ items }) => items)).toEqual([[1], [2]])
  })

  test('fails all that waits when a call fails, and works again afterwards', async () => {
    const { calls, run } = slowCall()
    const { add } = gather(run)
    const failing = Promise.allSettled([add(1), add(2), add(3)])
    calls[0]?.end.reject(new Error('away'))
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    const next = add(4)
    calls[1]?.end.resolve()
    expect(await next).toBe(40)
  })
})
