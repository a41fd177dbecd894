import { expect, test } from '@jest/globals'
import { LargeMessages } from './large-messages.ts'

test('messages for which there is no room go back once there is, a few at a time; small ones always have room', () => {
  const messages = new LargeMessages({ from: 10, most: 100 })
  const back: string[] = []
  const admit = (name: string, bytes: number) => messages.admit(bytes, () => back.push(name))
  expect([admit('a', 40), admit('b', 60), admit('c', 30), admit('d', 30), admit('e', 30), admit('small', 9)]).toEqual([
    true,
    true,
    false,
    false,
    false,
    true,
  ])
  messages.done(9)
  messages.done(40)
  expect(back).toEqual([])
  messages.done(60)
  expect(back).toEqual(['c', 'd'])
  expect(admit('c', 30)).toBe(true)
  messages.done(30)
  expect(back).toEqual(['c', 'd', 'e'])
})

test('one that is larger than the room is taken when no other is there', () => {
  const messages = new LargeMessages({ from: 10, most: 100 })
  expect(messages.admit(500, () => {})).toBe(true)
  expect(messages.admit(10, () => {})).toBe(false)
})
