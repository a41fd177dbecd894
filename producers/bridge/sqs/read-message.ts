import { createHash } from 'node:crypto'
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { QueueMessage } from '../message.ts'

/** A message without what is particular to SQS. Bodies are text there: one in Avro is Base64. */
export function readMessage({ Body = '', Attributes = {}, MessageAttributes = {}, ...message }: Message): QueueMessage {
  const text = (name: string) => MessageAttributes[name]?.StringValue
  const contentType = text('content-type')
  const group = Attributes.MessageGroupId
  return {
    id: text('message-id') ?? namedBySender(Attributes.MessageDeduplicationId, Body) ?? message.MessageId,
    body: Buffer.from(Body, /avro/i.test(contentType ?? '') ? 'base64' : 'utf8'),
    contentType,
    contentEncoding: text('content-encoding'),
    traceparent: text('traceparent'),
    deliveries: Number(Attributes.ApproximateReceiveCount ?? 1),
    // Of a standard queue a group is a share of its throughput and no order; only FIFO queues number their messages
    group: Attributes.SequenceNumber === undefined ? undefined : group,
  }
}

/**
 * A deduplication id that the sender chose names the message for longer than the five minutes in which SQS knows it. One that
 * SQS made of the body names no message: the same order placed twice is two orders.
 */
const namedBySender = (deduplicationId: string | undefined, body: string): string | undefined =>
  deduplicationId === createHash('sha256').update(body).digest('hex') ? undefined : deduplicationId

/** Bytes of a message at most, its attributes included: 1 MiB. */
export const maxMessageBytes = 1_048_576
const maxAttributes = 10

/**
 * The attributes of a dead letter: those of the message as far as there may be more, the problem, and the id by which logs name
 * the message, because SQS gives the dead letter another. If body and problem together are larger than SQS allows, those of
 * the message alone.
 */
export function deadLetterAttributes(
  { Body = '', MessageAttributes = {} }: Message,
  messageId: string | undefined,
  problem: string,
): Record<string, MessageAttributeValue> {
  const all = Object.entries(MessageAttributes).map(
    ([name, { DataType, StringValue, BinaryValue }]) => [name, { DataType, StringValue, BinaryValue }] as const,
  )
  const added = Object.entries({ 'message-id': messageId, 'tally-problem': problem }).map(
    ([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const,
  )
  const own = all.filter(([name]) => !added.some(([other]) => other === name))
  const told = [...own.slice(0, maxAttributes - added.length), ...added]
  const bytes = told.reduce((sum, [name, value]) => sum + sizeOf(name, value), Buffer.byteLength(Body))
  return Object.fromEntries(bytes <= maxMessageBytes ? told : all) as Record<string, MessageAttributeValue>
}

/** As SQS counts: name, type and value. */
const sizeOf = (name: string, { DataType = '', StringValue = '', BinaryValue }: MessageAttributeValue): number =>
  Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue) + (BinaryValue?.length ?? 0)
