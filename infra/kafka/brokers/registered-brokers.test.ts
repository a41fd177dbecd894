import { expect, test } from '@jest/globals'
import { decodeCount } from './registered-brokers.ts'

test.each([1, 3])('the cluster has %i brokers, whatever its id is', (brokers) => {
  const head = Buffer.alloc(5) // No tags, throttle time
  const noError = Buffer.from([0, 0, 0]) // Code, no message
  const clusterId = Buffer.from('4L6g3nShT-eMCtK--X86sw')
  const answer = Buffer.concat([
    ...[head, noError, Buffer.from([1, clusterId.length + 1]), clusterId],
    Buffer.from([0, 0, 0, 1, brokers + 1]),
  ])
  expect(decodeCount(answer)).toBe(brokers)
})
