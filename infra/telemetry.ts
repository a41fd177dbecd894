import { pino } from 'pino'
import type { Logger } from 'pino'

export type { Logger }

/**
 * A logger that writes JSON lines to standard error (standard output belongs to results).
 * Fields in use: service, group, lane, epoch, topic, partition, offset, eventId, orderId, outcome. Never a payload.
 */
export const createLogger = (service: string, level: string = 'info'): Logger =>
  pino({ level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }))

export const silentLogger: Logger = pino({ level: 'silent' })
