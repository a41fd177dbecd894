import { expect, test } from '@jest/globals'
import { isPassingAnswer, tellsOfPassingAnswer } from './passing-answers.ts'

test('answers that belong to every start and rebalance are recognized in what kafkajs logs', () => {
  const loading = 'The coordinator is loading and hence can’t process requests for this group'.replace('’', "'")
  const rebalancing = 'The group is rebalancing, so a rejoin is needed'
  expect(tellsOfPassingAnswer('Response Heartbeat(key: 12, version: 3)', rebalancing)).toBe(true)
  expect(tellsOfPassingAnswer(`Crash: KafkaJSProtocolError: ${rebalancing}`, undefined)).toBe(true)
  expect(tellsOfPassingAnswer('Response JoinGroup(key: 11, version: 5)', loading)).toBe(true)
  expect(
    tellsOfPassingAnswer('Response Heartbeat(key: 12, version: 3)', 'The coordinator is not aware of this member'),
  ).toBe(false)
  expect(tellsOfPassingAnswer('Connection error: connect ECONNREFUSED', undefined)).toBe(false)
})

test('and in errors, deep under others', () => {
  const answer = Object.assign(new Error('…'), { type: 'GROUP_LOAD_IN_PROGRESS' })
  expect(isPassingAnswer(new Error('retries exceeded', { cause: answer }))).toBe(true)
  expect(isPassingAnswer(Object.assign(new Error('…'), { type: 'UNKNOWN_MEMBER_ID' }))).toBe(false)
  expect(isPassingAnswer('GROUP_LOAD_IN_PROGRESS')).toBe(false)
})
