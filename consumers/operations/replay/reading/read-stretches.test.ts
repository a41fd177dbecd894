import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KafkaMessage } from 'kafkajs'
import { advancesBefore, readStretches } from './read-stretches.ts'
import type { RangeSource, Stretch } from './read-stretches.ts'

/** A record, whether it is meant, and how many offsets without a record lie behind it. */
interface Drawn {
  time: number
  chosen: boolean
  holes: number
}

const drawn = fc.record({ time: fc.nat(50), chosen: fc.boolean(), holes: fc.nat(2) })
const topics = fc.array(fc.array(drawn, { maxLength: 12 }), { minLength: 1, maxLength: 3 })

/** A broker that gives the records of each topic in pieces. */
function logOf(drawnTopics: readonly (readonly Drawn[])[], piece: number) {
  const logs = drawnTopics.map((records, index) => {
    let end = 0
    const messages = records.map(({ time, chosen, holes }) => {
      const message = { offset: String(end), timestamp: String(time), key: chosen ? Buffer.from('chosen') : null }
      end += 1 + holes
      return message as unknown as KafkaMessage
    })
    return { topic: `t${index}`, partition: 0, next: 0, to: end, messages, given: 0 }
  })
  const source: RangeSource = {
    next: (topic) => {
      const log = logs.find((each) => each.topic === topic)!
      const records = log.messages.slice(log.given, (log.given += piece))
      const to = log.given < log.messages.length ? Number(log.messages[log.given]!.offset) : log.to
      return Promise.resolve(records.length > 0 ? { records, to } : undefined)
    },
  }
  return { logs, source }
}

async function read(source: RangeSource, ranges: Parameters<typeof readStretches>[1], atOnce: number) {
  const options = {
    atOnce: () => atOnce,
    learn: () => Promise.resolve(),
    isChosen: ({ key }: KafkaMessage) => key !== null,
  }
  const stretches: Stretch[] = []
  for await (const stretch of readStretches(source, ranges, options)) stretches.push(stretch)
  return stretches
}
const places = (stretches: readonly Stretch[]) =>
  stretches.flatMap(({ chosen }) => chosen.map(({ topic, offset }) => `${topic}/${offset}`))

test('every chosen record comes once, each topic in its order, and the stretches cover every offset', async () => {
  await fc.assert(
    fc.asyncProperty(topics, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 4 }), async (...draw) => {
      const [drawnTopics, piece, atOnce] = draw
      const { logs, source } = logOf(drawnTopics, piece)
      const stretches = await read(source, logs, atOnce)
      for (const { topic, to, messages } of logs) {
        const chosen = messages.filter(({ key }) => key !== null)
        const mine = stretches.flatMap((stretch) => stretch.chosen).filter((each) => each.topic === topic)
        expect(mine.map(({ message }) => message)).toEqual(chosen)
        const advances = stretches.flatMap((stretch) => stretch.advances).filter((each) => each.topic === topic)
        expect(advances.at(-1)?.next ?? 0).toBe(to)
        expect(advances.map(({ next }) => next)).toEqual(
          [...new Set(advances.map(({ next }) => next))].toSorted((a, b) => a - b),
        )
        expect(advances.reduce((sum, { scanned }) => sum + scanned, 0)).toBe(messages.length)
        expect(advances.reduce((sum, { selected }) => sum + selected, 0)).toBe(chosen.length)
      }
      expect(Math.max(...stretches.map(({ chosen }) => chosen.length))).toBeLessThanOrEqual(atOnce)
    }),
  )
})

test('what came first in time is read first, where the topics agree', async () => {
  const at = (...times: number[]) => times.map((time) => ({ time, chosen: true, holes: 0 }))
  const { logs, source } = logOf([at(1, 4, 6), at(2, 3, 9)], 1)
  expect(places(await read(source, logs, 100))).toEqual(['t0/0', 't1/0', 't1/1', 't0/1', 't0/2', 't1/2'])
})

test('stopped at any chosen record and read on from there, nothing is left out and nothing comes twice', async () => {
  await fc.assert(
    fc.asyncProperty(topics, fc.nat(), async (drawnTopics, stopAt) => {
      const whole = logOf(drawnTopics, 3)
      const [stretch] = await read(whole.source, whole.logs, 1_000)
      const stop = stretch!.chosen[stopAt % Math.max(1, stretch!.chosen.length)]
      if (!stop) return
      const before = advancesBefore(stretch!, stop)
      const done = stretch!.chosen.slice(0, stretch!.chosen.indexOf(stop))
      const rest = logOf(drawnTopics, 3)
      const ranges = rest.logs.map((log) => {
        const next = before.find(({ topic }) => topic === log.topic)?.next ?? log.next
        log.given = log.messages.filter(({ offset }) => Number(offset) < next).length
        return { ...log, next }
      })
      const again = await read(rest.source, ranges, 1_000)
      expect([...places([{ chosen: done, advances: [] }]), ...places(again)].toSorted()).toEqual(
        places([stretch!]).toSorted(),
      )
      const scanned = [...before, ...again.flatMap(({ advances }) => advances)]
      expect(scanned.reduce((sum, each) => sum + each.scanned, 0)).toBe(drawnTopics.flat().length)
    }),
  )
})
