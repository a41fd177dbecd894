import type { Mutation } from '../../mutation.ts'

const accessTest = 'producers/orders-api/http/access.test.ts'
const limitsTest = 'producers/orders-api/http/subject-limits.test.ts'
const configTest = 'infra/config.test.ts'

/** Who may do what, and what no text shows. */
export const security: readonly Mutation[] = [
  {
    name: 'forgotten-while-open',
    guard: 'a customer with an open order is not forgotten',
    broken: 'the order cannot be delivered',
    edits: [
      {
        file: 'consumers/operations/forget/forget-customer.ts',
        find: '    refuseOpen(customerId, await readOpenOrders(tx, tables, customerId, keys))\n',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/forget/forget-customer.int.test.ts',
      title:
        'a customer with an open order is not forgotten, and nothing changes; once it has ended, nobody can read the address',
    },
  },
  {
    name: 'two-cancellations',
    guard: 'of two cancellations at once one is stored',
    broken: 'both are: the customer is refused what was granted',
    edits: [
      {
        file: 'producers/orders-api/orders/cancellations.ts',
        find: '\n     where c.requests = excluded.requests - 1',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/orders/cancellations.int.test.ts',
      title: 'of 20 requests at once on two replicas one is stored, and the others are told',
    },
  },
  {
    name: 'key-not-held',
    guard: 'an order whose key was erased is refused',
    broken: 'it is accepted, and nobody can read where it goes',
    edits: [
      {
        file: 'producers/orders-api/orders/order-book.ts',
        find: 'if (gone.length > 0) throw',
        replace: 'if (gone.length > 500) throw',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/orders/order-book.int.test.ts',
      title: 'an entry whose key was erased after it was sealed is refused alone, and tried again it gets another key',
    },
  },
  {
    name: 'smuggled-text',
    guard: 'what a request says is sealed even if it looks sealed',
    broken: 'a customer who has a sealed text of another has it delivered in clear',
    edits: [
      {
        file: 'schemas/personal-data.ts',
        find: 'changePersonal(type, data, (text) => sealText(key, text))',
        replace: 'changePersonal(type, data, (text) => (isSealed(text) ? text : sealText(key, text)))',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/http/app.test.ts',
      title: 'seals an address that looks sealed, too',
    },
  },
  {
    name: 'orders-of-others',
    guard: 'the orders of others do not exist for a customer',
    broken: 'a customer reads and cancels the orders of all',
    edits: [
      {
        file: 'producers/orders-api/orders/find-known.ts',
        find: 'if (!order || mayKnow(caller, order.customerId)) return order',
        replace: 'if (!order || mayKnow(caller, order.customerId) || caller.subject) return order',
      },
    ],
    noticedBy: {
      file: accessTest,
      title: 'the order of another is not told from one that does not exist',
    },
  },
  {
    name: 'keys-of-others',
    guard: 'an idempotency key belongs to its subject',
    broken: 'a customer gets the answer that another one got under the same key',
    edits: [
      {
        file: 'producers/orders-api/orders/idempotency.ts',
        find: 'subject === undefined ? key : `${subject} ${key}`',
        replace: 'key',
      },
    ],
    noticedBy: { file: accessTest, title: 'keys of different subjects are different keys' },
  },
  {
    name: 'shared-secret',
    guard: 'tokens are signed with a public-key algorithm and name their end',
    broken: 'a token without an end is good for ever',
    edits: [
      {
        file: 'producers/orders-api/http/caller.ts',
        find: "requiredClaims: ['sub', 'exp'],",
        replace: "requiredClaims: ['sub'],",
      },
    ],
    noticedBy: { file: accessTest, title: 'a token without an end is not accepted' },
  },
  {
    name: 'any-name',
    guard: 'the API answers under its own names only',
    broken: 'a page of another site reaches the API through a browser',
    edits: [
      {
        file: 'producers/orders-api/http/app.ts',
        find: 'if (allowedHosts.has(host)) return next()',
        replace: 'return next()',
      },
    ],
    noticedBy: {
      file: limitsTest,
      title: 'a request under another name is refused, whatever it asks: the page of another site may send it',
    },
  },
  {
    name: 'secrets-in-texts',
    guard: 'a secret that was read is in no text from then on',
    broken: 'a library that repeats a password puts it into the log',
    edits: [
      {
        file: 'infra/without-secrets.ts',
        find: "for (const secret of known) shown = shown.replaceAll(secret, '***')",
        replace: '',
      },
    ],
    noticedBy: {
      file: configTest,
      title: 'the secrets of a configuration are in no text from then on, also encoded',
    },
  },
  {
    name: 'login-in-the-clear',
    guard: 'a login needs TLS',
    broken: 'user and password are set, and the connection uses neither them nor TLS',
    edits: [
      {
        file: 'infra/security/security-settings.ts',
        find: "if (protocol !== 'SASL_SSL' && login)",
        replace: 'if (false as boolean)',
      },
    ],
    noticedBy: {
      file: configTest,
      title: 'a login without TLS is refused',
    },
  },
  {
    name: 'late-repeat',
    guard: 'a repeat of a cancellation that comes too late is refused like it',
    broken: 'it is answered as stored, and nothing is',
    edits: [
      {
        file: 'producers/orders-api/orders/order-book.ts',
        find: 'replies: replies.map((reply) => lateReplies.get(reply) ?? reply),',
        replace:
          'replies: replies.map((reply, index) => (late.has(entries[index]!) ? lateReplies.get(reply)! : reply)),',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/orders/order-book.int.test.ts',
      title: 'a cancellation that comes too late is stored for none of its repeats in the same group',
    },
  },
  {
    name: 'stream-of-one-who-left',
    guard: 'a client that left while its order was looked up gets no stream',
    broken: 'its place among those who follow orders is taken until the process ends',
    edits: [
      {
        file: 'producers/orders-api/orders/read-orders.ts',
        find: 'if (response.closed) return undefined',
        replace: 'if (false as boolean) return undefined',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/orders/event-stream.test.ts',
      title: 'a client that leaves before its stream begins takes up no place',
    },
  },
]
