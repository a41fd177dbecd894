import { describe, expect, test } from '@jest/globals'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import { parseRestart } from './restart-replicas.ts'

const consumers = ['inventory', 'loyalty', 'payment']
const stack = {
  processes: [{ consumer: 'payment' }, { consumer: 'payment' }, { consumer: 'inventory' }, { name: 'kafka' }],
} as unknown as StackStatus

describe('what to restart', () => {
  test('is every consumer that runs, if none is named', () =>
    expect(parseRestart(true, stack, consumers)).toEqual({ consumers: ['inventory', 'payment'], api: false }))

  test('is the orders API, too, if it runs', () => {
    const more = { ...stack, processes: [...stack.processes, { name: 'orders-api' }] } as unknown as StackStatus
    expect(parseRestart(true, more, consumers).api).toBe(true)
    expect(parseRestart(['orders-api'], more, consumers)).toEqual({ consumers: [], api: true })
    expect(parseRestart(['payment'], more, consumers)).toEqual({ consumers: ['payment'], api: false })
  })

  test('is those named, in this order', () =>
    expect(parseRestart(['payment', 'inventory'], stack, consumers).consumers).toEqual(['payment', 'inventory']))

  test.each([
    ['an unknown consumer', ['pyament'], /^No service "pyament": there are inventory, loyalty, payment, orders-api$/],
    ['a number of replicas', ['payment=3'], /^No service "payment=3"/],
    ['the orders API where it does not run', ['orders-api'], /^No service "orders-api"/],
    ['a consumer that does not run', ['loyalty'], /^loyalty does not run: `npm run scale -- loyalty=1` starts it$/],
    ['a consumer named twice', ['payment', 'inventory', 'payment'], /^payment is named twice$/],
  ])('is not %s', (_what, asked, sentence) =>
    expect(() => parseRestart(asked, stack, consumers)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(sentence) }),
    ),
  )
})
