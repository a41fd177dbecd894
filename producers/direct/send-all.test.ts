import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { sendAll } from './send-all.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('sendAll', () => {
  test('starts all in order and no more at once than allowed', async () => {
    const started: number[] = []
    let [outstanding, most] = [0, 0]
    const send = async (item: number) => {
      started.push(item)
      most = Math.max(most, ++outstanding)
      for (let turns = 0; turns < item % 5; turns++) await turn()
      outstanding--
    }
    const seen: number[] = []
    expect(await sendAll(numbers(100), send, { maxOutstanding: 7, onProgress: (done) => seen.push(done) })).toBe(100)
    expect(started).toEqual(numbers(100))
    expect(most).toBe(7)
    expect(seen).toEqual(numbers(100).map((n) => n + 1))
  })

  test('ends with the first failure, after what was under way', async () => {
    const ended: number[] = []
    const send = async (item: number) => {
      await turn()
      if (item === 3) throw new Error('three')
      await turn()
      ended.push(item)
    }
    await expect(sendAll(numbers(1_000), send, { maxOutstanding: 5 })).rejects.toThrow('three')
    expect(ended.length).toBeLessThan(20)
    expect(ended).toEqual(ended.toSorted((a, b) => a - b))
  })

  test('ends with what the source throws, after what was read before', async () => {
    async function* source() {
      yield 1
      yield 2
      throw new Error('the source is broken')
    }
    const ended: number[] = []
    const send = async (item: number) => {
      await turn()
      ended.push(item)
    }
    await expect(sendAll(source(), send, { maxOutstanding: 5 })).rejects.toThrow('the source is broken')
    expect(ended).toEqual([1, 2])
  })

  test('reads no further once aborted', async () => {
    const abort = new AbortController()
    let pulled = 0
    function* endless() {
      for (;;) yield pulled++
    }
    const send = async (item: number) => {
      await turn()
      if (item === 10) abort.abort()
    }
    const sent = await sendAll(endless(), send, { maxOutstanding: 2, signal: abort.signal })
    expect(sent).toBeGreaterThanOrEqual(11)
    expect(pulled - sent).toBeLessThanOrEqual(1)
  })

  test('keeps a rate whatever the answers take', async () => {
    const startedAt = performance.now()
    const starts: number[] = []
    await sendAll(numbers(50), async () => void starts.push(performance.now() - startedAt), {
      maxOutstanding: 9,
      rate: 250,
    })
    starts.forEach((at, index) => expect(at).toBeGreaterThan(index * 4 - 2)) // Never ahead of the schedule
  })
})
