import { expect, test } from '@jest/globals'
import { SideBySide } from './side-by-side.ts'

test('a work that is alone waits for those before it, and those after it wait, whether they fail or not', async () => {
  const works = new SideBySide()
  const log: string[] = []
  const [first, alone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const begin = (name: string, until: Promise<void>) => async () => {
    log.push(name)
    await until
    throw new Error(name)
  }
  const [now, started] = [Promise.resolve(), Promise.withResolvers<void>()]
  const ended = [
    works.together(begin('1', first.promise)),
    works.together(begin('2', now)),
    works.alone(async () => (started.resolve(), begin('alone', alone.promise)())),
    works.together(begin('3', now)),
    works.together(begin('4', now)),
  ].map((work) => work.catch((error: Error) => error.message))
  await ended[1]
  expect(log).toEqual(['1', '2'])
  first.resolve()
  await started.promise
  expect(log).toEqual(['1', '2', 'alone'])
  alone.resolve()
  expect(await Promise.all(ended)).toEqual(['1', '2', 'alone', '3', '4'])
  expect(log).toEqual(['1', '2', 'alone', '3', '4'])
})
