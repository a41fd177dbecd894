import { ChangeMessageVisibilityBatchCommand, DeleteMessageBatchCommand } from '@aws-sdk/client-sqs'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { describeError, TallyError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import { gather } from '../../../infra/linger/gather.ts'

/** How long SQS hides a message that is in work, seconds. A bridge that is killed holds its messages up for so long. */
export const visibilityS = 30
/** A hidden message stays hidden as long as the bridge lives; two extensions may fail. */
const extendEveryMs = (visibilityS * 1_000) / 3
/** SQS takes so many messages in one request. */
const maxBatch = 10
/** How long showing the messages that are left may take. Otherwise SQS shows them when their visibility is over. */
const stopMs = 3_000
/** Requests to delete at once: each needs a round trip. */
const deleters = 4

/** The messages that a bridge has received and not settled, by receipt handle. It keeps them hidden. */
export class MessagesInWork {
  private readonly receipts = new Set<string>()
  private readonly options: { sqs: SQSClient; url: string; log: Logger }
  private readonly timer: NodeJS.Timeout
  private readonly deletions
  private next = 0

  constructor(options: { sqs: SQSClient; url: string; log: Logger }) {
    this.options = options
    this.timer = setInterval(() => void this.change([...this.receipts], visibilityS), extendEveryMs)
    this.deletions = Array.from({ length: deleters }, () =>
      gather((receipts: string[]) => this.deleteBatch(receipts), { maxGroup: maxBatch }),
    )
  }

  get size(): number {
    return this.receipts.size
  }

  add(receipt: string): void {
    this.receipts.add(receipt)
  }

  /** The queue may deliver it again once its visibility is over. */
  leave(receipt: string): void {
    this.receipts.delete(receipt)
  }

  /** Deletes a message from the queue. @throws TallyError UNREACHABLE: it will be delivered again */
  async settle(receipt: string): Promise<void> {
    try {
      const gathering = this.deletions[this.next++ % deleters]
      const failure = await gathering?.add(receipt)
      if (failure !== undefined) throw new TallyError('UNREACHABLE', `Amazon SQS did not delete a message: ${failure}`)
    } finally {
      this.leave(receipt)
    }
  }

  /** Shows the messages that are left to other bridges at once. */
  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.change([...this.receipts], 0, AbortSignal.timeout(stopMs))
  }

  /** @returns the reason for each that was not deleted */
  private async deleteBatch(receipts: readonly string[]): Promise<(string | undefined)[]> {
    const { sqs, url } = this.options
    const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }))
    const { Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }))
    const reasons = new Map(Failed.map(({ Id, Message, Code }) => [Id, Message ?? Code ?? 'no reason given']))
    return Entries.map(({ Id }) => reasons.get(Id))
  }

  private async change(
    receipts: readonly string[],
    VisibilityTimeout: number,
    abortSignal?: AbortSignal,
  ): Promise<void> {
    const { sqs, url, log } = this.options
    for (let from = 0; from < receipts.length; from += maxBatch) {
      const batch = receipts.slice(from, from + maxBatch).filter((receipt) => this.receipts.has(receipt))
      const Entries = batch.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout }))
      if (Entries.length === 0) continue
      await sqs
        .send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }), {
          ...(abortSignal && { abortSignal }),
        })
        .catch((error: unknown) => log.warn({ error: describeError(error) }, 'could not keep messages hidden'))
    }
  }
}
