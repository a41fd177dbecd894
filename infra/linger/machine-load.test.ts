import { expect, test } from '@jest/globals'
import { waitUntil } from '../testing/wait-until.ts'
import { machineLoad } from './machine-load.ts'

test('the load is the share of the processors in use since the last look', async () => {
  let counters = { busy: 0, all: 0 }
  const load = machineLoad(() => counters)
  expect(load()).toBe(0)
  counters = { busy: 900, all: 1_000 }
  await waitUntil('a look is due', () => load() > 0)
  expect(load()).toBeLessThanOrEqual(0.9)
})

test('the real counters give a share', async () => {
  const load = machineLoad()
  await waitUntil('a look is due', () => load() > 0)
  expect(load()).toBeLessThanOrEqual(1)
})
