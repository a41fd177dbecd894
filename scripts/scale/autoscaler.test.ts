import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../../producers/sample-data/seeded.ts'
import { advise } from '../../consumers/operations/replicas/advice/advise.ts'
import { decide, notChanged } from './autoscaler.ts'
import type { Decision, Memory, Policy } from './autoscaler.ts'
import { SimulatedConsumer } from '../../consumers/operations/replicas/testing/simulated-consumer.ts'

const policy: Policy = { upAfterLooks: 2, calmMs: 60_000, coolDownMs: 15_000 }
const goals = { lagSeconds: 5, drainSeconds: 60, min: 1, max: 12 }

/** Looks every five seconds; each decision is carried out, as one line: `change to 4` or why not. */
function follow(looks: readonly (readonly [replicas: number, needed: number])[]): string[] {
  let memory: Memory | undefined
  return looks.map(([replicas, needed], index) => {
    const [next, decision] = decide(memory, { at: 5_000 * index, replicas, needed }, policy)
    memory = next
    return told(decision)
  })
}
const told = (decision: Decision) => (decision.action === 'change' ? `change to ${decision.to}` : decision.why)
const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item)

describe('decisions', () => {
  test('there are more after as many looks as agreed, and then a cool-down', () => {
    expect(
      follow([
        [1, 2],
        [1, 2],
        [2, 3],
        [2, 3],
        [2, 3],
        [2, 3],
      ]),
    ).toEqual([
      '2 wanted by 1 of 2 looks',
      'change to 2',
      'cooling down for another 10 s',
      'cooling down for another 5 s',
      '3 wanted by 1 of 2 looks',
      'change to 3',
    ])
  })

  test('one look alone changes nothing', () => {
    const looks = follow(times(20, 0).map((_, index) => [2, index % 2 === 0 ? 5 : 2] as const))
    expect(looks.filter((what) => what.startsWith('change'))).toEqual([])
  })

  test('never to more than twice as many at once', () => {
    expect(
      follow([
        [3, 12],
        [3, 12],
      ]).at(-1),
    ).toBe('change to 6')
  })

  test('there are fewer only after a calm, and as many as it needed at its worst', () => {
    const looks: [number, number][] = [
      ...times(6, [6, 1] as [number, number]),
      [6, 3],
      ...times(6, [6, 2] as [number, number]),
    ]
    expect(follow(looks).slice(-2)).toEqual(['3 would have done for 55 s, of 60 s to be waited', 'change to 3'])
  })

  test('the calm begins anew with a look that needed all', () => {
    const looks: [number, number][] = [
      ...times(11, [4, 1] as [number, number]),
      [4, 4],
      ...times(5, [4, 1] as [number, number]),
    ]
    expect(follow(looks).at(-1)).toBe('1 would have done for 20 s, of 60 s to be waited')
  })

  test('what somebody else changed is let settle first', () => {
    expect(
      follow([
        [2, 2],
        [5, 9],
        [5, 9],
      ]),
    ).toEqual(['as many as needed', 'somebody else changed the number of replicas', 'cooling down for another 10 s'])
  })

  test('a change that could not be made is tried again after a cool-down', () => {
    const [first] = decide(undefined, { at: 0, replicas: 1, needed: 2 }, policy)
    const [second, decision] = decide(first, { at: 5_000, replicas: 1, needed: 2 }, policy)
    expect(decision.action).toBe('change')
    const failed = notChanged(second, 1, 20_000)
    expect(decide(failed, { at: 25_000, replicas: 1, needed: 2 }, policy)[1].why).toBe('cooling down for another 10 s')
  })
})

interface Run {
  changes: { at: number; from: number; to: number }[]
  lagSeconds: number[]
  consumer: SimulatedConsumer
}

/** Advice and decisions over a virtual time, against a consumer that reacts to them. */
function run(arriving: (at: number) => number, seconds: number, perReplica = 100): Run {
  const consumer = new SimulatedConsumer({ replicas: 1, lanes: 12, perReplica })
  const [changes, lagSeconds]: [Run['changes'], number[]] = [[], []]
  let memory: Memory | undefined
  for (let at = 0; at < seconds; at += 5) {
    consumer.pass(at, 5, arriving(at))
    const advice = advise(consumer.look(), goals)
    lagSeconds.push(advice.lagSeconds)
    const look = { at: 1_000 * at, replicas: advice.replicas, needed: advice.needed }
    const [next, decision] = decide(memory, look, policy)
    memory = next
    if (decision.action === 'change') {
      changes.push({ at, from: consumer.replicas, to: decision.to })
      consumer.change(at, decision.to)
    }
  }
  return { changes, lagSeconds, consumer }
}

describe('over a virtual time', () => {
  test('a load that rises and falls: up in few steps, nobody waits for long, down again', () => {
    const hill = (at: number) =>
      40 + 700 * Math.max(0, Math.sin((Math.PI * (at - 300)) / 1_200)) ** 2 * (at < 1_500 ? 1 : 0)
    const { changes, lagSeconds, consumer } = run(hill, 3_000)
    expect(changes.length).toBeLessThanOrEqual(14)
    expect(Math.max(...changes.map(({ to }) => to))).toBeGreaterThanOrEqual(7)
    expect(consumer.replicas).toBe(1)
    const late = lagSeconds.filter((lag) => lag > 30)
    expect(late.length).toBeLessThan(lagSeconds.length / 20)
  })

  test('a steady load settles: no change in the last half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_100 }), (rate) => {
        const { changes } = run(() => rate, 4_000)
        expect(changes.filter(({ at }) => at > 2_000)).toEqual([])
      }),
      { numRuns: 20 },
    )
  })

  test('a noisy load does not make it flap: at most a dozen changes in four hours', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0 }),
        fc.integer({ min: 50, max: 900 }),
        fc.integer({ min: 0, max: 60 }),
        (seed, mean, percent) => {
          const random = seededRandom('noise', seed)
          const noisy = () => mean * (1 + (percent / 100) * (2 * random.next() - 1))
          const { changes, consumer } = run(noisy, 4 * 3_600)
          expect(changes.length).toBeLessThanOrEqual(12)
          expect(100 * consumer.replicas).toBeGreaterThanOrEqual(mean * 0.9)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('a load that turns on and off every two minutes teaches it to stay', () => {
    const { changes } = run((at) => (Math.floor(at / 120) % 2 === 0 ? 20 : 600), 8 * 3_600)
    expect(changes.length).toBeLessThan(40)
    expect(changes.filter(({ at }) => at > 2 * 3_600)).toEqual([])
  })
})
