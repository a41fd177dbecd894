import { hash } from 'node:crypto'
import { bytesOf, largestMessage } from '../../infra/sqs/batch-sender.ts'
import type { Entry, SqsBatchSender } from '../../infra/sqs/batch-sender.ts'
import type { Queue } from '../forwarding/define-forwarder.ts'
import { contentType } from '../forwarding/message.ts'
import type { Message } from '../forwarding/message.ts'

/** @param fifo whether the queue keeps the order within message groups: each key is one */
export const sqsQueue = (sender: SqsBatchSender, { fifo }: { fifo: boolean }): Queue => ({
  check(message) {
    const bytes = bytesOf(entryOf(message, fifo))
    if (bytes <= largestMessage) return
    throw new Error(
      `As a message it would have ${bytes} bytes with its attributes, and Amazon SQS takes ${largestMessage}: drop it with \`npm run parked\``,
    )
  },
  send: (message, signal) => sender.send(entryOf(message, fifo), signal),
})

/** CloudEvents in binary mode: SQS has no binding of its own, so the attributes are named as in Kafka. At most ten. */
export function entryOf({ attributes, key, data }: Message, fifo: boolean): Entry {
  const named = { ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])) }
  return {
    MessageBody: JSON.stringify(data).replaceAll(forbiddenInJson, escaped),
    MessageAttributes: Object.fromEntries(
      Object.entries({ ...named, 'content-type': contentType }).map(([name, value]) => [
        name,
        { DataType: 'String', StringValue: value.replaceAll(forbidden, encodeURIComponent) },
      ]),
    ),
    ...(fifo && { MessageGroupId: token(key), MessageDeduplicationId: token(attributes.id) }),
  }
}

/** Characters that SQS refuses in any text. JSON has escaped those below U+0020 and halves of pairs. */
const forbiddenInJson = /[\uFFFE\uFFFF]/g
// oxlint-disable-next-line no-control-regex -- exactly these are refused
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g
const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16)}`

/** Ids of groups and for deduplication have at most 128 visible ASCII characters; any other text is replaced by its hash. */
const token = (text: string): string => (/^[\x21-\x7e]{1,128}$/.test(text) ? text : hash('sha256', text))
