import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decide } from './decide.ts'
import type { DecideOptions } from './decide.ts'
import type { RecordInput } from '../model.ts'
import { orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import type { Count } from '../testing/tally-consumer.ts'

const cause = (id: string) => ({
  id,
  eventId: id,
  time: 1_800_000_000_000,
  chainTime: 1_800_000_000_000,
  correlationId: id,
})

const record = (offset: number, key: string, customerId?: string): RecordInput => ({
  source: 'record',
  key,
  topic: 'orders',
  partition: 0,
  offset,
  message: {} as RecordInput['message'],
  inboxId: `id-${offset}`,
  placeId: () => `place-${offset}`,
  event: orderPlaced(key, customerId),
  cause: cause(`id-${offset}`),
})

const options = (more: Partial<DecideOptions<Count, never>> = {}): DecideOptions<Count, never> => ({
  definition: tallyConsumer('tester'),
  codec: { encode: (_type, data) => Buffer.from(JSON.stringify(data)) },
  states: new Map(),
  shared: new Map<string, never>(),
  blocked: new Set(),
  now: 1_800_000_000_500,
  ...more,
})

describe('deciding on a batch', () => {
  test('each event sees what the earlier ones decided', () => {
    const { states, events } = decide([record(0, 'a'), record(1, 'a')], options())
    expect(states.get('a')?.placed).toBe(2)
    expect(events).toHaveLength(2)
  })

  test('an input whose handler throws is parked without other effects; its key waits, other keys continue', () => {
    const inputs = [record(0, 'a'), record(1, 'a', 'throws'), record(2, 'a'), record(3, 'b')]
    const { states, events, parked } = decide(inputs, options())
    expect([...states].map(([key, { placed }]) => [key, placed])).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    expect(events).toHaveLength(2)
    expect(parked.map(({ input, reason }) => [(input as RecordInput).offset, reason])).toEqual([
      [1, 'HANDLER_FAILED'],
      [2, 'BEHIND'],
    ])
    expect(parked[0]?.error).toContain('this order cannot be handled')
  })

  test('a key with a parked event waits', () => {
    const { states, parked } = decide([record(0, 'a'), record(1, 'b')], options({ blocked: new Set(['a']) }))
    expect([...states.keys()]).toEqual(['b'])
    expect(parked.map(({ reason }) => reason)).toEqual(['BEHIND'])
  })

  test('an event that the encoder refuses is parked as the handler’s fault', () => {
    const encode = () => {
      throw new Error('quantity is no integer')
    }
    const { states, parked } = decide([record(0, 'a')], options({ codec: { encode } }))
    expect(states.size).toBe(0)
    expect(parked[0]).toMatchObject({ reason: 'HANDLER_FAILED', error: expect.stringContaining('quantity') })
  })

  test('an input that leads to an unknown call is parked', () => {
    const { calls: _, ...definition } = tallyConsumer('tester')
    const { calls, parked } = decide([record(0, 'a', 'asks')], options({ definition }))
    expect([calls, parked.length]).toEqual([[], 1])
  })

  test('an answer of a kind that was removed is parked', () => {
    const answer = { source: 'answer', id: 'c', key: 'a', kind: 'gone', cause: cause('c'), answer: {} } as const
    expect(decide([answer], options()).parked).toHaveLength(1)
  })

  test('deciding again gives the same ids, and no two are alike', () => {
    const batch = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('counts', 'asks', 'waits', 'throws')),
    )
    fc.assert(
      fc.property(batch, (kinds) => {
        const inputs = kinds.map(([key, customerId], offset) => record(offset, key, customerId))
        const ids = (now: number) => {
          const { events, calls, timers } = decide(inputs, options({ now }))
          return [...events.map(({ eventId }) => eventId), ...calls.map(({ id }) => id), ...timers.map(({ id }) => id)]
        }
        const first = ids(1)
        expect(ids(2)).toEqual(first)
        expect(new Set(first).size).toBe(first.length)
      }),
    )
  })

  test('a replay that corrects gives events other ids, calls and timers the same, and calls remember it', () => {
    const corrected = (id?: number) => {
      const inputs = ['asks', 'waits'].map((customerId, offset) => record(offset, 'a', customerId))
      return decide(
        inputs.map((input) => ({ ...input, cause: { ...input.cause, correctedBy: id } })),
        options(),
      )
    }
    const first = corrected()
    const seventh = corrected(7)
    const idsOf = ({ calls, timers }: typeof first) => [...calls, ...timers].map(({ id }) => id)
    expect(idsOf(seventh)).toEqual(idsOf(first))
    expect(seventh.calls[0]?.cause.correctedBy).toBe(7)
    const events = [first, seventh, corrected(8)].flatMap((outcome) => outcome.events.map(({ eventId }) => eventId))
    expect(new Set(events).size).toBe(6)
    expect(corrected(7)).toEqual(seventh)
  })
})
