import type { Kafka } from 'kafkajs'
import type { Config } from '../config.ts'
import { createLogger } from '../logger.ts'
import type { Logger } from '../logger.ts'
import { createKafka } from './client.ts'

/** A logger for commands. Commands report failures in a sentence, so by default only errors are logged. */
export const commandLogger = (name: string, { logLevel }: Config): Logger =>
  createLogger(name, logLevel === 'info' ? 'error' : logLevel)

/** A client that gives up soon, because an operator is waiting. */
export const connectKafka = (name: string, config: Config): Kafka =>
  createKafka({
    servers: config.kafka,
    clientId: `tally-${name}`,
    log: commandLogger(name, config),
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 3 },
  })
