import { describe, expect, test } from '@jest/globals'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import { parseRestart } from './restart-replicas.ts'

const consumers = ['inventory', 'loyalty', 'payment']
const stack = {
  processes: [{ consumer: 'payment' }, { consumer: 'payment' }, { consumer: 'inventory' }, { name: 'kafka' }],
} as unknown as StackStatus

describe('what to restart', () => {
  test('is every consumer that runs, if none is named', () =>
    expect(parseRestart(true, stack, consumers)).toEqual(['inventory', 'payment']))

  test('is those named, in this order', () =>
    expect(parseRestart(['payment', 'inventory'], stack, consumers)).toEqual(['payment', 'inventory']))

  test.each([
    ['an unknown consumer', ['pyament'], /^No consumer "pyament": there are inventory, loyalty, payment$/],
    ['a number of replicas', ['payment=3'], /^No consumer "payment=3"/],
    ['a consumer that does not run', ['loyalty'], /^loyalty does not run: `npm run scale -- loyalty=1` starts it$/],
    ['a consumer named twice', ['payment', 'inventory', 'payment'], /^payment is named twice$/],
  ])('is not %s', (_what, asked, sentence) =>
    expect(() => parseRestart(asked, stack, consumers)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(sentence) }),
    ),
  )
})
