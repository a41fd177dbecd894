import { expect, jest, test } from '@jest/globals'
import { Kept } from './kept.ts'

/** Clients that are counted. */
function counted() {
  const clients = { made: 0, open: 0 }
  const kept = new Kept(
    async () => (clients.open++, { number: ++clients.made }),
    async () => clients.open--,
  )
  return { kept, clients }
}

test('a client that failed is replaced, and disconnected after its last use', async () => {
  const { kept, clients } = counted()
  const other = Promise.withResolvers<undefined>()
  const using = kept.use(() => other.promise)
  await expect(kept.use(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost')
  expect(clients).toEqual({ made: 1, open: 1 }) // The other use would connect it again
  expect(await kept.use(({ number }) => Promise.resolve(number))).toBe(2)
  other.resolve(undefined)
  await using
  await Promise.resolve()
  expect(clients).toEqual({ made: 2, open: 1 })
})

test('a client is renewed every minute, because what it knows of leaders ages', async () => {
  const { kept, clients } = counted()
  const clock = jest.spyOn(performance, 'now')
  try {
    for (const [now, client] of [
      [0, 1],
      [59_000, 1],
      [61_000, 2],
    ] as const) {
      clock.mockReturnValue(now)
      expect(await kept.use(({ number }) => Promise.resolve(number))).toBe(client)
    }
  } finally {
    clock.mockRestore()
  }
  expect(clients).toEqual({ made: 2, open: 1 })
})

test('what is closed connects no more', async () => {
  const { kept, clients } = counted()
  await kept.use(() => Promise.resolve())
  kept.close()
  await expect(kept.use(() => Promise.resolve())).rejects.toThrow('closed')
  expect(clients).toEqual({ made: 1, open: 0 })
})
