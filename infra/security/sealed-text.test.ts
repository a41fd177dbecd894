import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isSealed, keyIdOf, openText, sealingKey, sealText } from './sealed-text.ts'

const key = sealingKey(42, 'c-1', Buffer.alloc(32, 'a'))
const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 })

test('a sealed text opens with its key, says nothing without it, and is alike whenever it is sealed', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const sealed = sealText(key, text)
      expect({ form: isSealed(sealed), id: keyIdOf(sealed) }).toEqual({ form: true, id: 42 })
      expect(openText(key, sealed)).toBe(text)
      expect(sealText(key, text)).toBe(sealed)
      if (text.length > 3) expect(sealed).not.toContain(text)
    }),
  )
})

test('a text that only looks sealed is sealed like any other', () => {
  const sealed = sealText(key, 'Jane Roe')
  expect(openText(key, openText(key, sealText(key, sealed)))).toBe('Jane Roe')
})

test('an empty text stays empty', () => {
  expect(sealText(key, '')).toBe('')
  expect(isSealed('')).toBe(false)
})

const flipped = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)

test.each([
  ['another secret', sealingKey(42, 'c-1', Buffer.alloc(32, 'b')), (text: string) => text],
  ['another customer', sealingKey(42, 'c-2', Buffer.alloc(32, 'a')), (text: string) => text],
  ['another key id', sealingKey(43, 'c-1', Buffer.alloc(32, 'a')), (text: string) => text],
  ['a changed nonce', key, (text: string) => flipped(text, 13)],
  ['a changed text', key, (text: string) => flipped(text, 30)],
  ['text that was never sealed', key, () => 'Jane Roe'],
])('%s opens nothing', (_what, with_, change) => {
  const sealed = sealText(key, 'Jane Roe, High Street 1')
  expect(() => openText(with_, change(sealed))).toThrow(expect.objectContaining({ code: 'UNREADABLE' }))
})

test('texts are sealed as by every earlier version: what is stored stays readable, and repeats stay repeats', () => {
  const sealed = 'sealed:1:42:GKFJZESKfXqNJrYzbFr8FAo0aE5HbhsRH7ual-aF9ZaNvQl9'
  expect(sealText(key, 'Jane Roe')).toBe(sealed)
  expect(openText(key, sealed)).toBe('Jane Roe')
})
