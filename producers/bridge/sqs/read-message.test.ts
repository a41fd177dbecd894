import { expect, test } from '@jest/globals'
import type { Message } from '@aws-sdk/client-sqs'
import { deadLetterAttributes, maxMessageBytes } from './read-message.ts'

const text = (StringValue: string) => ({ DataType: 'String', StringValue })
const attributes = (names: readonly string[]): Message['MessageAttributes'] =>
  Object.fromEntries(names.map((name) => [name, text(`of ${name}`)]))

test('a dead letter names its message and the problem, whether the sender named it or SQS did', () => {
  const told = { 'message-id': text('m-1'), 'tally-problem': text('{}') }
  expect(deadLetterAttributes({ Body: 'x' }, 'm-1', '{}')).toEqual(told)
  const named = { Body: 'x', MessageAttributes: { 'message-id': text('m-1'), kind: text('a') } }
  expect(deadLetterAttributes(named, 'm-1', '{}')).toEqual({ kind: text('a'), ...told })
})

test('SQS takes ten attributes: both are among them, whatever the message had', () => {
  const names = [...Array(10).keys()].map((n) => `a-${n}`)
  const found = Object.keys(deadLetterAttributes({ MessageAttributes: attributes(names) }, 'm-1', '{}'))
  expect(found).toEqual([...names.slice(0, 8), 'message-id', 'tally-problem'])
})

test('where the problem does not fit beside the body, the dead letter is the message as it was', () => {
  const large = { Body: 'x'.repeat(maxMessageBytes - 20), MessageAttributes: attributes(['a']) }
  expect(Object.keys(deadLetterAttributes(large, 'm-1', '{"title":"too large"}'))).toEqual(['a'])
})
