import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatMoney } from '../../../../infra/web/client/format-money.ts'
import { amountOf, limits, linesOf, totalsOf, unitsIn, withMore, withQuantity } from './basket.ts'
import { eventBlocks } from './event-blocks.ts'
import { localeOf, preferredLanguage } from './language.ts'
import { progressOf } from './progress.ts'

const tea = { sku: 'tea', name: 'Tea', unitPriceMinor: '450', currency: 'EUR' }
const yen = { sku: 'cup', name: 'Cup', unitPriceMinor: '999999999', currency: 'JPY' }
const products = new Map([tea, yen].map((product) => [product.sku, product]))

describe('the basket', () => {
  test('adds, changes and removes; an order cannot have more than the API takes', () => {
    expect(withMore(withMore({}, 'tea', 2), 'tea', 3)).toEqual({ tea: 5 })
    expect(withQuantity({ tea: 5, cup: 1 }, 'tea', 0)).toEqual({ cup: 1 })
    expect(withQuantity({ tea: 5 }, 'tea', Number.NaN)).toEqual({})
    expect(withQuantity({}, 'tea', 1e9)).toEqual({ tea: limits.quantity })
    const full = Object.fromEntries(Array.from({ length: limits.lines }, (_, index) => [`s${index}`, 1]))
    expect(withMore(full, 'tea', 1)).toBe(full)
    expect(unitsIn(full)).toBe(limits.lines)
  })

  test('sums are exact beyond what a JavaScript number holds, and apart by currency', () => {
    const lines = linesOf({ tea: 3, cup: 10_000, gone: 7 }, products)
    expect(totalsOf(lines)).toEqual([
      { currency: 'EUR', totalMinor: '1350' },
      { currency: 'JPY', totalMinor: '9999999990000' },
    ])
    expect(amountOf('9007199254740993', 3)).toBe('27021597764222979')
  })
})

test.each([
  ['1234550', 'EUR', 'en', '€12,345.50'],
  ['1234550', 'EUR', 'de-DE', '12.345,50 €'],
  ['1234', 'JPY', 'de-DE', '1.234 ¥'],
  ['9007199254740993123', 'EUR', 'en', '€90,071,992,547,409,931.23'],
  ['1234567', 'KWD', 'en', 'KWD 1,234.567'],
])('%s minor units of %s are written for %s as %s', (minor, currency, locale, text) => {
  expect(formatMoney(minor, currency, locale).replaceAll('\u00a0', ' ')).toBe(text)
})

test.each([
  [['de-AT', 'en'], 'de', 'de-AT'],
  [['fr-FR', 'de', 'en'], 'de', 'de'],
  [['en-GB'], 'en', 'en-GB'],
  [['fr'], 'en', 'en'],
  [[], 'en', 'en'],
] as const)('a browser that asks for %j is shown %s', (wanted, language, locale) => {
  expect(preferredLanguage(wanted)).toBe(language)
  expect(localeOf(language, wanted)).toBe(locale)
})

test('server-sent events are the same however the stream is split', () => {
  const stream =
    'retry: 2000\n\n: heartbeat\n\nid: 1\nevent: entry\ndata: {"a":1}\n\nevent: end\ndata: x\ndata: y\n\nid: 2'
  const events = [
    { event: 'entry', id: '1', data: '{"a":1}' },
    { event: 'end', id: undefined, data: 'x\ny' },
  ]
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 10 })
  fc.assert(
    fc.property(cuts, (places) => {
      const take = eventBlocks()
      const at = [0, ...places.sort((a, b) => a - b), stream.length]
      const pieces = at.slice(1).map((end, index) => stream.slice(at[index], end))
      expect(pieces.flatMap(take)).toEqual(events)
    }),
  )
})

describe('progress', () => {
  const of = (status: Parameters<typeof progressOf>[0], ...types: string[]) =>
    progressOf(
      status,
      types.map((type) => ({ type })),
    ).map(({ state }) => state)

  test('shows what is done and what is waited for, in whatever order events come', () => {
    expect(of('placed')).toEqual(['done', 'next', 'open', 'open', 'open'])
    expect(of('reserved', 'StockReserved')).toEqual(['done', 'next', 'done', 'open', 'open'])
    expect(of('completed', 'PaymentCaptured', 'ShipmentScheduled', 'StockReserved', 'PaymentAuthorized')).toEqual(
      Array(5).fill('done'),
    )
  })

  test('what will not come any more is off', () => {
    expect(of('rejected', 'OrderPlaced', 'PaymentDeclined')).toEqual(['done', 'off', 'off', 'off', 'off'])
  })
})
