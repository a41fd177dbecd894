import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { SqsBatchSender } from '../../infra/sqs/batch-sender.ts'
import { createSqs } from '../../infra/sqs/client.ts'
import { isFifo } from '../../infra/sqs/queue-url.ts'
import { defineForwarder } from '../forwarding/define-forwarder.ts'
import { sqsQueue } from './sqs-queue.ts'

/** Hands events to a queue of Amazon SQS. */
export default ({ sqs }: Config) => {
  if (sqs?.forward === undefined)
    throw new TallyError('CONFIG_INVALID', 'Configuration: TALLY_FORWARD_SQS names no queue')
  const { queue, events } = sqs.forward
  // What SQS receives it has checked: the signature of a request covers the hash of its content
  const sender = new SqsBatchSender(createSqs(sqs, { md5: false }), queue)
  const chosen = { events, setting: 'TALLY_FORWARD_SQS_EVENTS' }
  return defineForwarder('forward-sqs', chosen, sqsQueue(sender, { fifo: isFifo(queue) }))
}
