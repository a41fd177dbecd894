import { expect, test } from '@jest/globals'
import { loadConfig } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { problemOf, withAdvice } from './failures.ts'

const config = loadConfig({})

test.each([
  ['a wrong request', new TallyError('USAGE', 'There is no page "x"'), 422, 'There is no page "x".'],
  ['a state that rules it out', new TallyError('BUSY', 'It runs already'), 409, 'It runs already.'],
  [
    'a server without a known remedy',
    new TallyError('UNREACHABLE', 'PostgreSQL does not answer within 3 s'),
    503,
    'PostgreSQL does not answer within 3 s. `npm run doctor` checks every server.',
  ],
  ['a server with one', new TallyError('DENIED', 'correct TALLY_REGISTRY_URL'), 503, 'correct TALLY_REGISTRY_URL.'],
])('%s', (_what, error, status, detail) => {
  expect(problemOf(error, config)).toMatchObject({ status, body: { status, detail } })
})

test('advice that is there is not followed by another', () => {
  expect(withAdvice('Start it with `npm start`.')).toBe('Start it with `npm start`.')
})
