import { expect, test } from '@jest/globals'
import { TimerHorizon } from './timer-horizon.ts'

const timer = (id: string, lane = 0) => ({ id, lane })
const ids = (timers: readonly { id: string }[]) => timers.map(({ id }) => id)

/** A broker and lanes whose ends and positions the test sets; one topic. */
function openHorizon() {
  const ends = [0, 0]
  const positions = [0, 0]
  let asked = 0
  const horizon = new TimerHorizon({
    async ends() {
      asked++
      return new Map([['answers', [...ends]]])
    },
    processed: (lane, _topic, offset) => (positions[lane] ?? 0) >= offset,
  })
  return { horizon, ends, positions, asked: () => asked }
}

test('timers of a lane without backlog fire at once', async () => {
  const { horizon } = openHorizon()
  expect(ids(await horizon.reached([timer('a'), timer('b')]))).toEqual(['a', 'b'])
})

test('timers wait for the events on the topics when they were found due, not for later ones', async () => {
  const { horizon, ends, positions, asked } = openHorizon()
  ends[0] = 10
  expect(await horizon.reached([timer('a')])).toEqual([])
  ends[0] = 20
  positions[0] = 9
  expect(await horizon.reached([timer('a')])).toEqual([])
  positions[0] = 10
  expect(ids(await horizon.reached([timer('a'), timer('later')]))).toEqual(['a'])
  expect(asked()).toBe(1)
  // The timer that became due in the meantime has its own horizon
  expect(await horizon.reached([timer('later')])).toEqual([])
  positions[0] = 20
  expect(ids(await horizon.reached([timer('later')]))).toEqual(['later'])
})

test('lanes do not wait for each other', async () => {
  const { horizon, ends } = openHorizon()
  ends[1] = 5
  expect(ids(await horizon.reached([timer('a', 0), timer('b', 1)]))).toEqual(['a'])
})

test('without an answer from the broker no timer fires', async () => {
  const horizon = new TimerHorizon({ ends: () => Promise.reject(new Error('away')), processed: () => true })
  await expect(horizon.reached([timer('a')])).rejects.toThrow('away')
})

test('a lane that was lost and came back gets a new horizon', async () => {
  const { horizon, ends, positions } = openHorizon()
  ends[0] = 10
  expect(await horizon.reached([timer('a')])).toEqual([])
  expect(await horizon.reached([])).toEqual([]) // Lost to another replica, or paused
  ends[0] = 20
  positions[0] = 10
  expect(await horizon.reached([timer('a')])).toEqual([])
})
