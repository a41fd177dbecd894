import { expect, test } from '@jest/globals'
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

test('what is closed connects no more', async () => {
  const { kept, clients } = counted()
  await kept.use(() => Promise.resolve())
  kept.close()
  await expect(kept.use(() => Promise.resolve())).rejects.toThrow('closed')
  expect(clients).toEqual({ made: 1, open: 0 })
})
