import { pino } from 'pino'
import type { Logger } from 'pino'
import pretty from 'pino-pretty'
import { withoutSecrets } from './without-secrets.ts'

export type { Logger }

/**
 * A logger that writes to standard error (standard output is for results): JSON lines, or formatted lines on a terminal.
 * Fields in use: service, group, lane, epoch, topic, partition, offset, eventId, orderId, outcome. Never a payload.
 */
export const createLogger = (service: string, level: string = 'info'): Logger =>
  pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: withoutSecrets },
    },
    process.stderr.isTTY
      ? pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'service' })
      : pino.destination({ dest: 2, sync: true }),
  )

export const silentLogger: Logger = pino({ level: 'silent' })
