import type { Mutation } from '../../mutation.ts'

const connect = 'infra/rabbitmq/connect.ts'
const rabbitmqTest = 'infra/rabbitmq/rabbitmq.int.test.ts'
const decide = 'consumers/forwarding/decide-forwarding.ts'
const decideTest = 'consumers/forwarding/decide-forwarding.test.ts'
const forwardTest = 'consumers/forward-rabbitmq/forward-rabbitmq.int.test.ts'

/** Clients of queues wait for no one without a limit, and events go out at least once, those of an order in order. */
export const queues: readonly Mutation[] = [
  {
    name: 'rabbitmq-setup-unlimited',
    guard: 'preparing a connection has a time limit',
    broken: 'a queue without a leader stops the bridge for ever',
    edits: [{ file: connect, find: 'late(setupMs), ', replace: '' }],
    noticedBy: { file: rabbitmqTest, title: 'a connection whose setup never ends is given up and made again' },
  },
  {
    name: 'rabbitmq-close-unlimited',
    guard: 'a connection is closed without the server, if that does not answer',
    broken: 'a frozen server stops whoever closes a connection to it',
    edits: [{ file: connect, find: 'stream.destroy(', replace: 'void (' }],
    noticedBy: { file: rabbitmqTest, title: 'a frozen server holds up no one who closes a connection' },
  },
  {
    name: 'sqs-request-unlimited',
    guard: 'a request to SQS has a time limit',
    broken: 'a server that is gone without a word stops the bridge for ever',
    edits: [
      { file: 'infra/sqs/client.ts', find: 'throwOnRequestTimeout: true', replace: 'throwOnRequestTimeout: false' },
      { file: 'infra/sqs/client.ts', find: 'socketTimeout: requestMs, ', replace: '' },
    ],
    noticedBy: {
      file: 'infra/sqs/sqs.int.test.ts',
      title: 'a server that accepts connections and answers nothing is UNREACHABLE, in time',
    },
  },
  {
    name: 'forward-unrouted',
    guard: 'a message that RabbitMQ routes to no queue comes back',
    broken: 'it is confirmed and lost',
    edits: [{ file: 'infra/rabbitmq/publisher.ts', find: 'mandatory: true', replace: 'mandatory: false' }],
    noticedBy: {
      file: forwardTest,
      title:
        'a missing exchange, a missing queue and a missing binding hold up no lane; once they exist, all goes out in order',
    },
  },
  {
    name: 'forward-unconfirmed',
    guard: 'an event is forwarded once the queue has confirmed it',
    broken: 'what is under way while a queue is away is lost',
    edits: [
      {
        file: 'consumers/forwarding/define-forwarder.ts',
        find: 'await queue.send(message, signal)',
        replace: 'queue.send(message, signal).catch(() => {})',
      },
    ],
    noticedBy: {
      file: 'consumers/forward-sqs/forward-sqs.int.test.ts',
      title: 'a queue that is created later, frozen and killed loses nothing',
    },
  },
  {
    name: 'forward-out-of-order',
    guard: 'events of one key are sent one after the other',
    broken: 'a retry puts an event behind the next one',
    edits: [{ file: decide, find: 'if (line.sending) return', replace: 'if (line.sending && !context) return' }],
    noticedBy: { file: decideTest, title: 'the first one is sent, the others wait for its confirmation, in order' },
  },
  {
    name: 'forward-answered-twice',
    guard: 'a confirmation counts once',
    broken: 'a repeated one skips an event that was not sent',
    edits: [{ file: decide, find: ' || line.confirmed !== undefined', replace: '' }],
    noticedBy: { file: decideTest, title: 'a confirmation counts once' },
  },
  {
    name: 'forward-routed-by-event',
    guard: 'the order id is the routing key',
    broken: 'events of one order reach different queues, in any order',
    edits: [
      {
        file: 'consumers/forward-rabbitmq/rabbitmq-queue.ts',
        find: 'routingKey: short(key)',
        replace: 'routingKey: short(attributes.id || key)',
      },
    ],
    noticedBy: {
      file: forwardTest,
      title:
        'a missing exchange, a missing queue and a missing binding hold up no lane; once they exist, all goes out in order',
    },
  },
  {
    name: 'forward-grouped-by-event',
    guard: 'the order id is the message group of a FIFO queue',
    broken: 'SQS keeps no order among the events of an order',
    edits: [
      {
        file: 'consumers/forward-sqs/sqs-queue.ts',
        find: 'MessageGroupId: token(key)',
        replace: 'MessageGroupId: token(attributes.id || key)',
      },
    ],
    noticedBy: {
      file: 'consumers/forward-sqs/sqs-queue.test.ts',
      title: 'a FIFO queue gets the key as group and the event id for deduplication, another queue neither',
    },
  },
]
