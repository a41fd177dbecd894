import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareLane, createPublications } from './publications.ts'

interface Row {
  sequence: number
  eventId: string
  place: string
}

const rows = fc
  .array(fc.constantFrom('payments/3', 'orders/3'), { minLength: 1, maxLength: 30 })
  .map((places) => places.map((place, index): Row => ({ sequence: index + 1, eventId: `e${index + 1}`, place })))

/** What a publisher may do: publish again from any point, and stop before the last rows. */
const history = fc.tuple(rows, fc.nat(5), fc.array(fc.nat(), { maxLength: 4 })).map(([given, unsent, restarts]) => {
  const sent = given.slice(0, Math.max(0, given.length - unsent))
  const again = restarts.map((at) => sent.slice(at % (sent.length + 1)))
  return { given, waiting: given.slice(sent.length), records: [...sent, ...again.flat()], sent }
})

const faultsOf = (records: readonly Row[], nextSeq: number, waiting: readonly Row[]) => {
  const publications = createPublications()
  for (const record of records) publications.take({ lane: 'payment/3', ...record })
  const lane = { nextSeq, waiting: new Map(waiting.map(({ sequence, eventId }) => [sequence, eventId])) }
  return compareLane('payment/3', lane, publications.lanes.get('payment/3'))
}

describe('the publications of a lane', () => {
  test('are complete, however often events were published again', () => {
    fc.assert(
      fc.property(history, ({ given, waiting, records, sent }) => {
        expect(faultsOf(records, given.length + 1, waiting)).toEqual([])
        const publications = createPublications()
        for (const record of records) publications.take({ lane: 'payment/3', ...record })
        expect(publications.lanes.get('payment/3')?.repeats ?? 0).toBe(records.length - sent.length)
      }),
    )
  })

  test('reveal a number that is neither published nor in the outbox', () => {
    fc.assert(
      fc.property(history, fc.nat(), ({ given, waiting, records }, pick) => {
        const lost = (pick % given.length) + 1
        const without = (all: readonly Row[]) => all.filter(({ sequence }) => sequence !== lost)
        expect(faultsOf(without(records), given.length + 1, without(waiting))).toEqual([
          `payment/3 number ${lost} is neither published nor in the outbox`,
        ])
      }),
    )
  })

  test('reveal a record whose number was never assigned, however large', () => {
    fc.assert(
      fc.property(history, fc.nat(2 ** 31), ({ given, waiting, records }, beyond) => {
        const phantom = { sequence: given.length + 1 + beyond * 1_000, eventId: 'phantom', place: 'orders/3' }
        expect(faultsOf([...records, phantom], given.length + 1, waiting)).toEqual([
          `payment/3 number ${phantom.sequence} was published but never assigned (the next is ${given.length + 1})`,
        ])
      }),
    )
  })

  test('reveal two events under one number, and a later event before an earlier one of the same partition', () => {
    const [one, two] = [1, 2].map((sequence) => ({ sequence, eventId: `e${sequence}`, place: 'orders/3' })) as [
      Row,
      Row,
    ]
    expect(faultsOf([one, { ...one, eventId: 'other' }], 2, [])).toEqual(['payment/3 number 1 is both e1 and other'])
    expect(faultsOf([two, one], 3, [])).toEqual(['payment/3 number 1 comes after 2 on orders/3'])
    expect(faultsOf([two, { ...one, place: 'payments/3' }], 3, [])).toEqual([])
  })

  test('reveal a row in the outbox that was published as another event', () => {
    const published = { sequence: 1, eventId: 'e1', place: 'orders/3' }
    expect(faultsOf([published], 2, [{ ...published, eventId: 'e2' }])).toEqual([
      'payment/3 number 1 is published as e1, in the outbox as e2',
    ])
  })
})
