import { expect, test } from '@jest/globals'
import { adviceFor } from './advice.ts'
import { causeInLog } from './cause-in-log.ts'

test.each([
  [
    'PostgreSQL: the error with its detail',
    `2026-11-29 14:13:18.513 UTC [5400]  FATAL:  database files are incompatible with server
2026-11-29 14:13:18.513 UTC [5400]  DETAIL:  The data directory was initialized by PostgreSQL version 17, which is not compatible with this version 18.4.`,
    'database files are incompatible with server: The data directory was initialized by PostgreSQL version 17, which is not compatible with this version 18.4.',
    /of another version/,
  ],
  [
    'PostgreSQL: not the answers to clients that ask too early',
    `2026-11-29 14:13:40.512 UTC [5992]  PANIC:  could not locate a valid checkpoint record at 0/2889690
2026-11-29 14:13:40.553 UTC [5994] [unknown] FATAL:  the database system is in recovery mode
2026-11-29 14:13:40.585 UTC [5976]  LOG:  database system is shut down`,
    'could not locate a valid checkpoint record at 0/2889690',
    /damaged/,
  ],
  [
    'Kafka: the innermost cause of an exception',
    `2026-11-29T14:14:41,118 ERROR Kafka$ Exiting Kafka due to fatal exception
java.lang.RuntimeException: it does not go
	at kafka.Kafka$.main(Kafka.scala:75)
Caused by: java.io.IOException: No space left on device
	at java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)
	... 7 more`,
    'No space left on device',
    /^Free space/,
  ],
  [
    'the registry',
    '2026-11-29 14:01:25 ERROR [io.quarkus.runtime.Application] (main) Port 28081 seems to be in use by another process',
    'Port 28081 seems to be in use by another process',
    /^Stop the process/,
  ],
  [
    'a service: its last warning',
    `{"level":30,"msg":"started"}
{"level":40,"msg":"registry not reached","error":"connect ECONNREFUSED"}
{"level":30,"msg":"going on"}`,
    'registry not reached: connect ECONNREFUSED',
    undefined,
  ],
  [
    'Node: an error that nothing caught',
    `file:///x/consumer.ts:22
throw new Error('warehouse is closed')
      ^

Error: warehouse is closed
    at file:///x/consumer.ts:22:7

Node.js v24.1.0`,
    'Error: warehouse is closed',
    undefined,
  ],
  ['nothing but notes', '{"level":30,"msg":"started"}\nKafka Server started\n', undefined, undefined],
])('%s', (_, output, cause, advice) => {
  const found = causeInLog(output)
  expect(found).toBe(cause)
  const told = found === undefined ? undefined : adviceFor(found)?.advice
  if (advice) expect(told).toMatch(advice)
  else expect(told).toBeUndefined()
})

test('a process that has ended said why in its last words, with the list that they end in', () => {
  expect(causeInLog('database: up to date\ncolumn is gone\n', { ended: true })).toBe('column is gone')
  expect(causeInLog('done\nThese changes are incompatible:\nA.x is new\nA.y is gone', { ended: true })).toBe(
    'These changes are incompatible: A.x is new A.y is gone',
  )
  expect(causeInLog('column is gone\n')).toBeUndefined()
})

test('only what neither waiting nor another attempt can change is definite', () => {
  expect(adviceFor('could not write: No space left on device')?.definite).toBe(true)
  expect(adviceFor('listen EADDRINUSE: address already in use 127.0.0.1:28080')?.definite).toBe(true)
  expect(adviceFor('could not create any TCP/IP sockets')?.definite).toBe(true) // PostgreSQL's last word on a taken port
  expect(adviceFor('Found a corrupted index file')?.definite).toBe(false)
})
