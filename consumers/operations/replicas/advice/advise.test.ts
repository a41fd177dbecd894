import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { advise } from './advise.ts'
import type { Goals } from './measurement.ts'
import { seen } from '../testing/seen.ts'
import type { Figures, LaneFigures } from '../testing/seen.ts'

const goals: Goals = { lagSeconds: 5, drainSeconds: 60, min: 1, max: 32 }
const lanes = (count: number, each: LaneFigures): LaneFigures[] => Array.from({ length: count }, () => each)
const about = (figures: Figures, other: Partial<Goals> = {}) => advise(seen(figures), { ...goals, ...other })

/** Two replicas take 200/s together, 600/s arrive, and 12,000 wait. */
const late = { behind: 1_000, lagMs: 9_000, takenPerSecond: 200 / 12, arrivingPerSecond: 50 }

describe('how many replicas are needed', () => {
  test('for what arrives and for the backlog within its time', () => {
    expect(about({ replicas: 2, lanes: lanes(12, late) })).toMatchObject({
      ...{ consumer: 'payment', replicas: 2, needed: 8, lagSeconds: 9, behind: 12_000 },
      because: ['events wait 60.0 s, more than 5.0 s; 600 events/s arrive, 12,000 wait, a replica takes 100/s'],
    })
    expect(about({ replicas: 2, lanes: lanes(12, late) }, { drainSeconds: 600 }).needed).toBe(7)
  })

  test('as many as there are while nothing waits too long, however much arrives', () => {
    const keeping = { behind: 400, lagMs: 900, takenPerSecond: 500, arrivingPerSecond: 500 }
    expect(about({ replicas: 2, lanes: lanes(4, keeping), busy: 0.95 }).needed).toBe(2)
  })

  test('as many as there are where these take the backlog in time', () => {
    const caughtBy = { behind: 600, lagMs: 20_000, takenPerSecond: 100, arrivingPerSecond: 20 }
    const { needed, because } = about({ replicas: 2, lanes: lanes(4, caughtBy) })
    expect({ needed, because }).toEqual({ needed: 2, because: [expect.stringMatching(/gone in 60 s as it is$/)] })
  })

  test('fewer where they are not busy', () => {
    expect(about({ replicas: 4, lanes: lanes(12, {}), busy: 0.3 }).needed).toBe(2)
    expect(about({ replicas: 4, lanes: lanes(12, {}), busy: 0 }).needed).toBe(1)
    expect(about({ replicas: 4, lanes: lanes(12, {}), busy: 0 }, { min: 3 }).needed).toBe(3)
  })

  test('not fewer than what they were once seen to take asks for', () => {
    const calm = { replicas: 4, lanes: lanes(12, { arrivingPerSecond: 20, takenPerSecond: 20 }), busy: 0.1 }
    expect(about(calm)).toMatchObject({ needed: 1 })
    expect(about({ ...calm, capacity: 125 })).toMatchObject({ needed: 3, capacity: 125 })
    expect(about({ replicas: 2, lanes: lanes(12, late), capacity: 80 }).capacity).toBeCloseTo(100)
  })

  test('one where none runs', () => {
    expect(about({ replicas: 0, lanes: lanes(12, { owner: null, health: { condition: 'unowned' } }) })).toMatchObject({
      ...{ replicas: 0, needed: 1 },
      because: ['no replica runs'],
    })
  })

  test('no more and no fewer where the figures are missing', () => {
    const blind = lanes(4, { behind: undefined, lagMs: 90_000 })
    expect(about({ replicas: 2, lanes: blind })).toMatchObject({ needed: 2, behind: null })
    const standing = lanes(4, { behind: 500, lagMs: 90_000 })
    expect(about({ replicas: 2, lanes: standing })).toMatchObject({
      needed: 2,
      because: [expect.stringMatching(/none was taken/)],
    })
  })

  test('one more where outside calls wait for their turn', () => {
    const calling = lanes(4, { health: { calls: 50 } })
    expect(about({ replicas: 2, lanes: calling, busy: 0.1 })).toMatchObject({
      needed: 3,
      because: [expect.stringMatching(/^200 outside calls wait/)],
    })
    expect(about({ replicas: 4, lanes: calling, busy: 0.1 }).needed).toBe(1)
  })
})

describe('when more would not help', () => {
  test('one lane has most of the lag, and one key most of the lane', () => {
    const skewed = [...lanes(3, { ...late, behind: 100 }), { ...late, behind: 8_000, arrivingPerSecond: 400 }]
    const heaviestKey = { lane: 3, key: 'o-17', share: 0.6 }
    expect(about({ replicas: 1, lanes: skewed, heaviestKey })).toMatchObject({
      needed: 2,
      because: [
        expect.anything(),
        'lane 3 holds 96 % of the lag; key o-17 is 60 % of lane 3: one replica has all of it',
      ],
    })
  })

  test.each<[string, Figures, Partial<Goals>, number, RegExp]>([
    [
      'lanes are few',
      { replicas: 2, lanes: lanes(3, { ...late, arrivingPerSecond: 900 }) },
      {},
      3,
      /^3 lanes: a replica more than that has nothing to do$/,
    ],
    ['an operator set a limit', { replicas: 2, lanes: lanes(12, late) }, { max: 4 }, 4, /^no more than 4 are allowed$/],
    [
      'the processors are used',
      { replicas: 2, lanes: lanes(12, late), cpuPercent: 50, machine: { cores: 4, busy: 0.7 } },
      {},
      4,
      /^the machine's 4 cores are 70 % busy, and a replica uses 50 % of one$/,
    ],
    [
      'the machine is full',
      { replicas: 2, lanes: lanes(12, late), cpuPercent: 80, machine: { cores: 2, busy: 1 } },
      {},
      2,
      /2 cores are 100 % busy/,
    ],
    [
      'the machine is full, and there are others',
      { replicas: 2, lanes: lanes(12, late), cpuPercent: 80, machine: { cores: 2, busy: 1 } },
      { otherMachines: true },
      8,
      /events wait/,
    ],
    [
      'lanes are unable to progress',
      { replicas: 2, lanes: lanes(12, { ...late, health: { condition: 'stopped', reason: 'offsets are gone' } }) },
      {},
      1,
      /^lanes 0-11 are stopped, which more replicas would not change: stopped.*offsets are gone$/,
    ],
    [
      'external calls are not answered',
      { replicas: 2, lanes: lanes(4, { health: { calls: 500, failingCalls: 10, callError: 'ECONNREFUSED' } }) },
      {},
      1,
      /^40 outside calls get no answer.*ECONNREFUSED$/,
    ],
  ])('%s', (_what, figures, other, needed, sentence) => {
    const advice = about(figures, other)
    expect(advice.needed).toBe(needed)
    expect(advice.because.at(-1)).toMatch(sentence)
  })
})

const laneFigures = fc.record({
  behind: fc.nat(100_000),
  lagMs: fc.nat(600_000),
  takenPerSecond: fc.nat(5_000),
  arrivingPerSecond: fc.nat(5_000),
})
const figures = fc.record({
  replicas: fc.integer({ min: 1, max: 16 }),
  lanes: fc.array(laneFigures, { minLength: 1, maxLength: 24 }),
  busy: fc.double({ min: 0, max: 1, noNaN: true }),
  cpuPercent: fc.integer({ min: 0, max: 120 }),
  machine: fc.record({ cores: fc.integer({ min: 1, max: 16 }), busy: fc.double({ min: 0, max: 1, noNaN: true }) }),
})

describe('whatever is found', () => {
  test('advice stays within lanes and limits', () => {
    fc.assert(
      fc.property(figures, fc.integer({ min: 1, max: 8 }), fc.nat(8), (found, min, room) => {
        const { needed } = about(found, { min, max: min + room })
        expect(needed).toBeLessThanOrEqual(Math.min(found.lanes.length, min + room))
        expect(needed).toBeGreaterThanOrEqual(Math.min(found.lanes.length, min))
      }),
    )
  })

  test('more to do never means fewer replicas', () => {
    fc.assert(
      fc.property(figures, fc.double({ min: 1, max: 50, noNaN: true }), (found, times) => {
        const heavier = found.lanes.map((lane) => ({
          ...lane,
          behind: lane.behind * times,
          lagMs: lane.lagMs * times,
          arrivingPerSecond: lane.arrivingPerSecond * times,
        }))
        expect(about({ ...found, lanes: heavier }).needed).toBeGreaterThanOrEqual(about(found).needed)
      }),
    )
  })

  test('nothing to do is no reason for more', () => {
    fc.assert(
      fc.property(figures, (found) => {
        const idle = found.lanes.map(() => ({}))
        expect(about({ ...found, lanes: idle }).needed).toBeLessThanOrEqual(found.replicas)
      }),
    )
  })
})
