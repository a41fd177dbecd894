import { expect, test } from '@jest/globals'
import { bytesOf } from '../../infra/sqs/batch-sender.ts'
import type { SqsBatchSender } from '../../infra/sqs/batch-sender.ts'
import type { Message } from '../forwarding/message.ts'
import { entryOf, sqsQueue } from './sqs-queue.ts'

const message = (changes: Partial<Message> & { id?: string } = {}): Message => ({
  attributes: { id: changes.id ?? 'e-1', type: 'tally.orders.OrderPlaced', source: '/test', subject: 'o-1' },
  key: 'o-1',
  data: { text: 'x' },
  ...changes,
})

test('a FIFO queue gets the key as group and the event id for deduplication, another queue neither', () => {
  expect(entryOf(message(), true)).toMatchObject({ MessageGroupId: 'o-1', MessageDeduplicationId: 'e-1' })
  expect(Object.keys(entryOf(message(), false))).toEqual(['MessageBody', 'MessageAttributes'])
})

test('ids that SQS does not accept are replaced by their hash, always the same', () => {
  const odd = entryOf(message({ key: 'Bestellung 1 für Ü', id: 'x'.repeat(200) }), true)
  expect(odd).toMatchObject({
    MessageGroupId: expect.stringMatching(/^[\da-f]{64}$/),
    MessageDeduplicationId: expect.stringMatching(/^[\da-f]{64}$/),
  })
  expect(entryOf(message({ key: 'Bestellung 1 für Ü' }), true).MessageGroupId).toBe(odd.MessageGroupId)
})

test('characters that SQS refuses are escaped, and the body is still the same JSON', () => {
  const data = { text: '\u0001 \uFFFE \uD800' }
  const { MessageBody = '', MessageAttributes = {} } = entryOf(
    message({ data, attributes: { id: 'e', type: 't', subject: 'a\u0001b' } }),
    false,
  )
  // oxlint-disable-next-line no-control-regex -- exactly these are refused
  expect(MessageBody).not.toMatch(/[\u0000-\u0008\uFFFE\uFFFF]/)
  expect(JSON.parse(MessageBody)).toEqual(data)
  expect(MessageAttributes['ce_subject']?.StringValue).toBe('a%01b')
})

test('a message of exactly 1 MiB with its attributes passes, one byte more is refused with its size', () => {
  const queue = sqsQueue({} as SqsBatchSender, { fifo: false })
  const rest = bytesOf(entryOf(message({ data: { text: '' } }), false))
  const filled = (bytes: number) => message({ data: { text: 'x'.repeat(bytes - rest) } })
  expect(() => queue.check(filled(1_048_576))).not.toThrow()
  expect(() => queue.check(filled(1_048_577))).toThrow('1048577 bytes')
})

test('an event has at most as many attributes as SQS takes: ten', () => {
  const names = 'specversion id type source time subject correlationid causationid traceparent'.split(' ')
  const attributes = Object.fromEntries(names.map((name) => [name, 'x'])) as Message['attributes']
  expect(Object.keys(entryOf(message({ attributes }), true).MessageAttributes ?? {})).toHaveLength(10)
})
