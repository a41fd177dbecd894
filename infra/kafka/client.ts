import kafkajs from 'kafkajs'
import type { ISocketFactory, Kafka, LogEntry, RetryOptions } from 'kafkajs'
import { patchesKafkajs } from '../config.ts'
import { patchHeartbeat } from './patches/heartbeat.ts'
import { patchFetchResponse } from './patches/fetch/fetch-response.ts'
import { registerCompression } from './patches/fetch/register-compression.ts'
import { patchIdleTimer } from './patches/idle.ts'
import { patchIdleFetch } from './patches/idle-fetch.ts'
import { patchLeaveGroup } from './patches/leave-group.ts'
import { patchSilentBroker } from './patches/silent-broker.ts'
import { patchProduceRequest } from './patches/produce/produce-request.ts'
import type { Logger } from '../logger.ts'
import type { KafkaServers } from '../security/kafka-access.ts'
import { addressForKafkajs, openSocket } from './broker-socket.ts'
import { tellsOfPassingAnswer } from './passing-answers.ts'
import { answeringBroker } from './raw-request.ts'
import { countRequests } from '../monitor/kafka-requests.ts'

export interface KafkaOptions {
  /** `config.kafka`: addresses, TLS and login. */
  servers: KafkaServers
  clientId: string
  log: Logger
  /** @default 4000: longer than any fetch, and than a healthy cluster needs to fence a broker that froze */
  requestTimeoutMs?: number
  retry?: RetryOptions
  /** How to connect to a broker. @default straight to it */
  connect?: typeof openSocket
}

/** kafkajs has other retry defaults under NODE_ENV=test, so every client states its own. */
const patience: RetryOptions = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 8 }

export function createKafka({
  servers,
  clientId,
  log,
  requestTimeoutMs = 4_000,
  retry = patience,
  connect = openSocket,
}: KafkaOptions): Kafka {
  patchFetchResponse() // Never off: without it a record can end the process
  patchHeartbeat() // Never off: without it a group never leaves a dead coordinator
  patchLeaveGroup() // Never off: without it a client that is replaced while it joins keeps lanes
  patchSilentBroker() // Never off: without it a client stays with a broker that froze
  registerCompression()
  if (patchesKafkajs()) {
    patchIdleTimer()
    patchIdleFetch()
    patchProduceRequest()
  }
  const seeds = servers.brokers.map(addressForKafkajs)
  const kafka = new kafkajs.Kafka({
    brokers:
      servers.brokers.length === 1
        ? seeds
        : () =>
            answeringBroker(servers).then(
              (one) => [addressForKafkajs(one)],
              () => seeds,
            ),
    ssl: servers.tls,
    sasl: servers.sasl,
    socketFactory: connect as ISocketFactory,
    clientId,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 3_000,
    retry,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => forward(log, entry),
  })
  return countRequests(kafka)
}

/**
 * kafkajs reports what it retries as errors: they are logged one level lower. What belongs to every start and rebalance is
 * no warning; if it lasts, the group client warns that it hears no heartbeat.
 */
function forward(log: Logger, { level, namespace, log: { message, error } }: LogEntry): void {
  const fields = { client: namespace, error: error ? String(error) : undefined }
  const passes = tellsOfPassingAnswer(message, fields.error)
  if (level === kafkajs.logLevel.ERROR && !passes) log.warn(fields, message)
  else log.debug(fields, message)
}
