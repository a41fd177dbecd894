import { expect, test } from '@jest/globals'
import { environmentWith } from '../../infra/config.ts'
import { measureRatio } from './guard/ratios.ts'
import { guard } from './guard.ts'

/** Renew what it compares with after a change that is meant to be: `npm run bench -- guard --store`. */
test('hop and saga are as many times as fast as their naive peers as they were when that was stored', async () => {
  const said: string[] = []
  const complaints = await guard({
    env: environmentWith({ TALLY_LOG_LEVEL: 'error' }),
    signal: AbortSignal.timeout(170_000),
    say: (line) => void said.push(line),
  })
  expect({ complaints, said }).toEqual({ complaints: [], said })
  expect(said.length).toBeGreaterThanOrEqual(Object.keys(measureRatio).length)
})
