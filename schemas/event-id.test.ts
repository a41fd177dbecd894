import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { derivedEventId, newEventId, timeOfEventId } from './event-id.ts'

const uuid = /^[\da-f]{8}-[\da-f]{4}-([78])[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
const times = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2099, 11, 31) })
const derivations = fc.record({
  chainTime: times,
  group: fc.string(),
  causeId: fc.string(),
  type: fc.string(),
  ordinal: fc.nat(),
})

describe('new ids', () => {
  test('are UUIDs of version 7 that carry their time', () => {
    fc.assert(
      fc.property(times, (time) => {
        const id = newEventId(time)
        expect(uuid.exec(id)?.[1]).toBe('7')
        expect(timeOfEventId(id)).toBe(time)
      }),
    )
  })

  test('differ within one millisecond', () => {
    expect(new Set(Array.from({ length: 1000 }, () => newEventId(1_750_000_000_000))).size).toBe(1000)
  })
})

describe('derived ids', () => {
  test('are UUIDs of version 8 that carry the time of the chain', () => {
    fc.assert(
      fc.property(derivations, (derivation) => {
        const id = derivedEventId(derivation)
        expect(uuid.exec(id)?.[1]).toBe('8')
        expect(timeOfEventId(id)).toBe(derivation.chainTime)
        expect(derivedEventId({ ...derivation })).toBe(id)
      }),
    )
  })

  test('are equal only where everything is equal, however the parts are cut', () => {
    const shortParts = fc.string({ unit: fc.constantFrom('a', '"', ',', '\\', '0'), maxLength: 3 })
    const derivation = fc.record({
      chainTime: fc.constant(1_750_000_000_000),
      group: shortParts,
      causeId: shortParts,
      type: shortParts,
      ordinal: fc.nat(3),
    })
    fc.assert(
      fc.property(derivation, derivation, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        expect(derivedEventId(one) === derivedEventId(other)).toBe(same)
      }),
      { numRuns: 1000 },
    )
  })

  test('stay what they are: they are stored and must match for ever', () => {
    const derivation = { chainTime: 1_750_000_000_000, group: 'payment', type: 'PaymentAuthorized', ordinal: 0 }
    expect(derivedEventId({ ...derivation, causeId: '019772c3-8c00-7000-8000-000000000000' })).toMatchInlineSnapshot(
      `"01977420-dc00-8bca-bcc4-b3ca3ab1478d"`,
    )
  })

  test('are others in each replay that corrects', () => {
    fc.assert(
      fc.property(derivations, fc.uniqueArray(fc.nat(), { minLength: 1 }), (derivation, replays) => {
        const corrected = replays.map((correctedBy) => derivedEventId({ ...derivation, correctedBy }))
        expect(new Set([derivedEventId(derivation), ...corrected]).size).toBe(replays.length + 1)
        expect(corrected.map(timeOfEventId)).toEqual(replays.map(() => derivation.chainTime))
      }),
    )
  })

  test('are given for any time', () => {
    for (const chainTime of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 48, 1.5]) {
      expect(derivedEventId({ chainTime, group: 'g', causeId: 'c', type: 't', ordinal: 0 })).toMatch(uuid)
    }
  })
})

test.each([
  '',
  'order-1',
  'not a uuid',
  crypto.randomUUID(),
  newEventId(5),
  newEventId(2 ** 48 - 1),
  `${newEventId()} `,
])('no time is read from %p', (id) => expect(timeOfEventId(id)).toBeUndefined())
