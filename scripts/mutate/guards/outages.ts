import type { Mutation } from '../mutation.ts'

const jsonClient = 'infra/json-client.ts'
const unknownOutcome = { file: 'infra/json-client.test.ts', title: '%s leaves the outcome unknown' }
const decoder = 'schemas/codec/decoder.ts'

/** A missing answer decides nothing, and input is validated before it is used. */
export const outages: readonly Mutation[] = [
  {
    name: 'outage-parks',
    guard: 'an outage is never a reason to park',
    broken: 'every error counts as a fault of the input',
    edits: [
      {
        file: 'consumers/runtime/batch/split-batch.ts',
        find: 'isDataError(error) || options.fault.isStubborn(error)',
        replace: 'true || isDataError(error)',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/ownership.int.test.ts',
      title: 'a database without disk space parks nothing',
    },
  },
  {
    name: 'stubborn-outage-parks',
    guard: 'a repeated outage is no reason to park, either',
    broken: 'the third error counts as a fault of the input, whatever it is',
    edits: [
      {
        file: 'consumers/runtime/lane/repeated-fault.ts',
        find: '!isTransient(error) &&',
        replace: 'void isTransient(error) === undefined &&',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/repeated-fault.test.ts',
      title: 'a connection that is lost repeatedly is no input’s fault',
    },
  },
  {
    name: 'registry-away-parks',
    guard: 'an unreachable registry makes no schema unknown',
    broken: 'records of its schemas count as unreadable',
    edits: [
      {
        file: 'schemas/codec/learn.ts',
        find: 'throw unreachable(registryUrl, new Error(`${path}: not a schema`))',
        replace: 'return undefined',
      },
    ],
    noticedBy: { file: 'schemas/codec/learn.test.ts', title: '%s says nothing about the schema' },
  },
  {
    name: 'status-believed',
    guard: 'only an expected status is an answer',
    broken: 'an error of the gateway counts as an answer',
    edits: [
      { file: jsonClient, find: 'if (!schema) throw unknown(', replace: 'if (!schema) return {} as never ?? unknown(' },
    ],
    noticedBy: unknownOutcome,
  },
  {
    name: 'nonsense-believed',
    guard: 'an answer must match its schema',
    broken: 'a web page counts as an authorization',
    edits: [{ file: jsonClient, find: 'if (parsed.success) return', replace: 'if (parsed) return' }],
    noticedBy: unknownOutcome,
  },
  {
    name: 'denial-retried',
    guard: 'a call that is denied is not repeated',
    broken: 'every further call of the kind is denied again',
    edits: [
      { file: 'consumers/runtime/lane/caller.ts', find: 'this.denials.set(kind, denial)', replace: 'void denial' },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/denied-calls.int.test.ts',
      title: 'a kind of call that is denied stops with a reason, and is made after a restart',
    },
  },
  {
    name: 'user-dropped',
    guard: 'user and password of an address are sent',
    broken: 'requests come without them',
    edits: [{ file: jsonClient, find: '            ...address.headers,\n', replace: '' }],
    noticedBy: {
      file: 'infra/json-client.test.ts',
      title: 'sends user and password of its address, and names them in no text',
    },
  },
  {
    name: 'secret-shown',
    guard: 'no error shows the password of an address',
    broken: 'it is part of the message',
    edits: [{ file: 'infra/errors.ts', find: 'super(withoutSecrets(message),', replace: 'super(message,' }],
    noticedBy: {
      file: 'infra/server-address.test.ts',
      title: 'no error shows the secret of an address, whoever threw it',
    },
  },
  {
    name: 'collector-key-shown',
    guard: 'the key for the OpenTelemetry collector is in no text, although only its exporter reads it',
    broken: 'it is not known as a secret',
    edits: [
      {
        file: 'infra/config.ts',
        find: 'for (const header of collectorHeaders(env)) rememberSecret(header)',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'infra/server-address.test.ts',
      title:
        'a secret that was replaced can be forgotten, and what an address or a header of the collector holds is none to show',
    },
  },
  {
    name: 'bounds-unchecked',
    guard: 'sizes are checked before bytes are decoded',
    broken: 'truncated and oversized values are read',
    edits: [{ file: decoder, find: 'checkBounds(value, headerBytes)', replace: 'void checkBounds' }],
    noticedBy: { file: 'schemas/codec/decoder.test.ts', title: 'what is cut short or has more behind it is refused' },
  },
  {
    name: 'junk-feeds-breaker',
    guard: 'unreadable and misrouted records are the fault of the data',
    broken: 'many of them in a row hold up the lane, and nothing is parked that could be dropped',
    edits: [
      {
        file: 'consumers/runtime/batch/failure-breaker.ts',
        find: "new Set(['UNREADABLE', 'MISROUTED'])",
        replace: 'new Set()',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/failure-breaker.test.ts',
      title: '%s records park however many there are',
    },
  },
  {
    name: 'lost-coordinator-kept',
    guard: 'a group looks for its coordinator again when that does not answer',
    broken: 'heartbeats go to the dead address for as long as there are retries',
    edits: [
      {
        file: 'infra/kafka/patches/heartbeat.ts',
        find: 'if (error instanceof kafkajs.KafkaJSProtocolError) return error',
        replace: 'if (error) return error',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/patches/heartbeat.test.ts',
      title: '%s without an answer: the coordinator is looked for again',
    },
  },
  {
    name: 'replaced-client-stays',
    guard: 'a client that is replaced before it has joined its group does not join, or leaves again',
    broken: 'it stays a member for ever, and nobody reads the lanes that the group assigns to it',
    edits: [
      {
        file: 'infra/kafka/patches/leave-group.ts',
        find: 'leaving.add(this.consumerGroup)',
        replace: 'void leaving',
      },
      {
        file: 'infra/kafka/patches/leave-group.ts',
        find: 'await joining.get(this.consumerGroup)?.catch(() => {})',
        replace: 'void joining',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/group/group-client.int.test.ts',
      title: 'a client that is given up while it joins never stays a member',
    },
  },
  {
    name: 'frozen-broker-kept',
    guard: 'a connection that leaves a request unanswered is closed',
    broken: 'the next request goes to the same frozen broker',
    edits: [
      {
        file: 'infra/kafka/patches/silent-broker.ts',
        find: 'if (!(error instanceof kafkajs.KafkaJSRequestTimeoutError)) throw error',
        replace: 'if (error) throw error',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/patches/silent-broker.test.ts',
      title: 'a connection that leaves a request unanswered is closed, and so is told to kafkajs',
    },
  },
  {
    name: 'frozen-broker-waited-for',
    guard: 'requests to a silent broker fail after a second',
    broken: 'each waits until its own time is up',
    edits: [{ file: 'infra/kafka/patches/silent-broker.ts', find: 'silent.add(address)', replace: '' }],
    noticedBy: {
      file: 'infra/kafka/patches/silent-broker.test.ts',
      title: 'a silent broker is sent nothing but the question whether it lives, and everything once it answers',
    },
  },
  {
    name: 'transactions-unbounded',
    guard: 'a process has no more transactions in progress than it has connections for',
    broken: 'each lane waits for a connection, times out and claims itself again',
    edits: [
      {
        file: 'consumers/runtime/batch/batch-groups.ts',
        find: 'this.inTransaction = atMost(this.atOnce)',
        replace: 'this.inTransaction = atMost(Infinity)',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/batch-groups.test.ts',
      title: 'of 100 lanes with %s, no more transactions are in progress than connections allow',
    },
  },
  {
    name: 'stuck-lane-delays-others',
    guard: 'due timers and parked events of a lane wait for no other lane',
    broken: 'the next lane is served when this one is through',
    edits: [{ file: 'consumers/runtime/lane/due-work.ts', find: 'this.inHand.set(lane, work)', replace: 'await work' }],
    noticedBy: {
      file: 'consumers/runtime/lane/due-work.test.ts',
      title: 'a lane that is stuck delays no other lane, and is not read again meanwhile',
    },
  },
]
