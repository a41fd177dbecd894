import type { Mutation } from '../../mutation.ts'

const intake = 'producers/bridge/intake.ts'
const intakeTest = 'producers/bridge/intake.test.ts'

/** Orders from queues: each once, in order, and none lost. */
export const bridges: readonly Mutation[] = [
  {
    name: 'message-id-of-client',
    guard: 'no client of the API can choose the key of a message',
    broken: 'a customer whose subject is the name of a queue gets the answers to its messages',
    edits: [{ file: 'producers/bridge/message-key.ts', find: '=> `${id} `', replace: '=> id' }],
    noticedBy: { file: intakeTest, title: 'a message becomes an order under its id, in its trace' },
  },
  {
    name: 'message-out-of-turn',
    guard: 'orders of a customer take turns',
    broken: 'a later order overtakes one that waits',
    edits: [
      {
        file: intake,
        find: 'return turns.take(`customer ${order.customerId}`, () => store(message, order, id))',
        replace: 'return store(message, order, id)',
      },
    ],
    noticedBy: {
      file: intakeTest,
      title: 'orders of one customer are placed in order, although the first waits; those of others do not wait for it',
    },
  },
  {
    name: 'message-refused-in-outage',
    guard: 'a message waits while a server is away',
    broken: 'an outage sends healthy messages to the dead letters',
    edits: [{ file: intake, find: 'error.retryable || error.code', replace: 'error.code' }],
    noticedBy: {
      file: intakeTest,
      title: 'while the database is away a message waits as long as it takes, and is not refused',
    },
  },
  {
    name: 'poison-for-ever',
    guard: 'a message that ends every bridge is given up',
    broken: 'it is tried for ever',
    edits: [{ file: intake, find: 'unended >= maxUnended', replace: 'unended < 0' }],
    noticedBy: { file: intakeTest, title: 'if bridges ended again and again while they worked on it alone' },
  },
  {
    name: 'poison-beside-others',
    guard: 'a message that may have ended bridges is worked on alone',
    broken: 'healthy messages that were in work beside it are given up with it',
    edits: [{ file: intake, find: 'works.alone(', replace: 'works.together(' }],
    noticedBy: {
      file: intakeTest,
      title: 'messages that were delivered often are worked on one by one, in order, and none counts against them',
    },
  },
  {
    name: 'large-messages-unbounded',
    guard: 'large messages in memory have a limit in bytes',
    broken: 'a queue of them takes 16 MiB of memory for each message of the prefetch',
    edits: [
      {
        file: 'producers/bridge/rabbitmq/large-messages.ts',
        find: 'this.bytes + bytes > most',
        replace: 'this.bytes + bytes < 0',
      },
    ],
    noticedBy: {
      file: 'producers/bridge/rabbitmq/large-messages.test.ts',
      title: 'messages for which there is no room go back once there is, a few at a time; small ones always have room',
    },
  },
]
