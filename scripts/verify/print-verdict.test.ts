import { test } from '@jest/globals'
import { expectReport } from '../testing/expect-report.ts'
import { verdictReport } from './print-verdict.ts'

const sound = (id: string, invariant: string, figures: string) => ({
  id,
  invariant,
  figures,
  violations: 0,
  examples: [],
  reported: 0,
})

const findings = [
  sound('settled', 'no work is in flight', 'all ledgers at the end, outboxes and calls empty'),
  sound('orders-ended', 'every order has one final state', '1,234,567 orders'),
  sound(
    'event-sets',
    'each order has exactly the events of its path through the pipeline, each once',
    '1,000 OrderPlaced, 980 PaymentAuthorized, 20 PaymentDeclined, 970 StockReserved, 10 StockRejected, 960 ShipmentScheduled',
  ),
]
const orders = new Map([
  ['completed', 1_200_000],
  ['rejected', 34_000],
  ['cancelled', 567],
] as const)

test('a proof', () => expectReport(verdictReport({ ok: true, orders, findings, undeployed: [] })))
test('violations', () =>
  expectReport(
    verdictReport({
      ok: false,
      orders: new Map([...orders, ['pending', 12] as const]),
      undeployed: ['loyalty'],
      findings: [
        ...findings,
        {
          id: 'captured-once',
          invariant: 'every completed order was captured once',
          figures: '1,199,988 captures',
          ...{ violations: 1_204, reported: 1_204 },
          examples: [
            'order 0198c6f2-49a5-7d1c-8ffc-c4a26a3f6272: 2 captures at the gateway, with the keys 0198c6f2-49a5-7d1c-8ffc-c4a26a3f6273 and 0198c6f2-49a5-7d1c-8ffc-c4a26a3f6274',
            'order 0198c6f2-49a5-7d1c-8ffc-c4a26a3f6275: no capture',
          ],
        },
      ],
    }),
  ))
test('nothing was ever ordered', () =>
  expectReport(verdictReport({ ok: true, orders: new Map(), findings: findings.slice(0, 1), undeployed: [] })))
