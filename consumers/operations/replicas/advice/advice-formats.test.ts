import { expect, test } from '@jest/globals'
import { metricsText } from './advice-formats.ts'

const advice = {
  ...{ consumer: 'payment', replicas: 2, needed: 3, lagSeconds: 7.25, behind: 1_200 },
  ...{ arrivingPerSecond: 300, takenPerSecond: 200.5, because: [] },
}

test('each figure is a gauge with the consumer as its label; an unknown one is left out', () => {
  const lines = metricsText([advice, { ...advice, consumer: 'order-status', behind: null }]).split('\n')
  expect(lines.slice(0, 4)).toEqual([
    '# HELP tally_replicas_advised Replicas this consumer needs.',
    '# TYPE tally_replicas_advised gauge',
    'tally_replicas_advised{consumer="payment"} 3',
    'tally_replicas_advised{consumer="order-status"} 3',
  ])
  expect(lines).toContain('tally_lag_seconds{consumer="payment"} 7.25')
  expect(lines.filter((line) => line.startsWith('tally_lag_events{'))).toEqual([
    'tally_lag_events{consumer="payment"} 1200',
  ])
  expect(lines.at(-1)).toBe('')
})
