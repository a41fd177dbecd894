import { SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import type { SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs'
import { TallyError } from '../errors.ts'
import { sqsError } from './client.ts'
import { queueUrl } from './queue-url.ts'

export type Entry = Omit<SendMessageBatchRequestEntry, 'Id'>

/** Limits of a request: entries, and bytes of all of them. */
const most = { entries: 10, bytes: 1_048_576 }
/** Requests at a time. While all are under way, entries gather for the next one. */
const concurrency = 8

interface Waiting {
  readonly entry: Entry
  readonly bytes: number
  readonly signal: AbortSignal
  sent(): void
  failed(error: TallyError): void
}

/** Sends messages to one queue in batches: those that are there at the same time travel together. */
export class SqsBatchSender {
  private readonly sqs: SQSClient
  private readonly queue: string
  private url: Promise<string> | undefined
  private waiting: Waiting[] = []
  private active = 0
  private scheduled = false

  /** @param queue name or URL */
  constructor(sqs: SQSClient, queue: string) {
    this.sqs = sqs
    this.queue = queue
  }

  /**
   * Resolves when SQS has accepted the message.
   * @throws TallyError DENIED; UNREACHABLE if it has not, as far as is known
   */
  send(entry: Entry, signal: AbortSignal): Promise<void> {
    return new Promise((sent, failed) => {
      this.waiting.push({ entry, bytes: bytesOf(entry), signal, sent, failed })
      if (this.scheduled) return
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        this.pump()
      })
    })
  }

  private pump(): void {
    while (this.waiting.length > 0 && this.active < concurrency) {
      this.active++
      void this.sendBatch(this.take()).finally(() => {
        this.active--
        this.pump()
      })
    }
  }

  private take(): Waiting[] {
    let bytes = 0
    const end = this.waiting.findIndex((each, index) => {
      bytes += each.bytes
      return index > 0 && (index >= most.entries || bytes > most.bytes)
    })
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end)
  }

  private async sendBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      this.url ??= queueUrl(this.sqs, this.queue)
      const answer = await this.sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: await this.url,
          Entries: batch.map(({ entry }, index) => ({ ...entry, Id: String(index) })),
        }),
        { abortSignal: AbortSignal.any(batch.map(({ signal }) => signal)) },
      )
      const sent = new Set(answer.Successful?.map(({ Id }) => Id))
      const faults = new Map(answer.Failed?.map((fault) => [fault.Id, `${fault.Code}: ${fault.Message ?? ''}`]))
      for (const [index, each] of batch.entries())
        if (sent.has(String(index))) each.sent()
        else each.failed(refused(faults.get(String(index))))
    } catch (error) {
      this.url = undefined // The queue may be created again, with another URL
      for (const each of batch) each.failed(sqsError(error))
    }
  }
}

const refused = (why = 'no reason given'): TallyError =>
  new TallyError('UNREACHABLE', `Amazon SQS did not accept a message (${why})`)

/** As SQS counts them: body, and names, types and values of the attributes. */
export function bytesOf({ MessageBody = '', MessageAttributes = {} }: Entry): number {
  const texts = Object.entries(MessageAttributes).flatMap(([name, { DataType = '', StringValue = '' }]) => [
    ...[name, DataType, StringValue],
  ])
  return [MessageBody, ...texts].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

/** The largest message that SQS accepts, attributes included. Bytes. */
export const largestMessage = most.bytes
