import { hostname } from 'node:os'
import type { Meter } from './monitor/meters.ts'
import { environmentWith, loadConfig } from './config.ts'
import type { Config } from './config.ts'
import { describeError, stackOf } from './errors.ts'
import { createLogger } from './logger.ts'
import type { Logger } from './logger.ts'
import { observeRequests } from './monitor/kafka-requests.ts'
import { openMonitor } from './monitor/monitor.ts'
import type { Check } from './monitor/monitor.ts'
import type { Tracer } from './monitor/tracer.ts'
import { adoptRunningSettings } from './stack/supervisor/running-settings.ts'

export interface Running {
  /** Why it cannot do its work now, by what it does. It is ready as long as all of them find nothing. */
  readonly checks?: Readonly<Record<string, Check>>
  /** Ends the service: drains in-flight work and releases resources. Called once. */
  stop(): Promise<void>
}

export interface ServiceContext {
  config: Config
  log: Logger
  /** Readable name of this process. */
  replica: string
  /** Aborts when the process is told to end, also during startup. */
  signal: AbortSignal
  /** Records metrics; undefined if this process is not monitored. */
  meter?: Meter
  /** Exports spans; undefined unless a collector is configured. */
  tracer?: Tracer
}

/**
 * Runs a long-running process: starts the service, tells the supervisor that it is ready, and ends on a signal. The first
 * SIGTERM or SIGINT drains, the second one (or the deadline) forces the end. A lost supervisor counts as a signal, so that
 * no service outlives it. A configuration that does not parse ends it with one sentence and exit code 1.
 * @param options `principal`: as which service it logs in to embedded servers. @default TALLY_PRINCIPAL
 */
export async function runService(
  name: string,
  start: (context: ServiceContext) => Promise<Running>,
  { drainDeadlineMs = 10_000, principal }: { drainDeadlineMs?: number; principal?: string } = {},
): Promise<void> {
  adoptRunningSettings() // Only a process started by hand lacks any
  const config = readConfig(principal)
  const log = createLogger(name, config.logLevel)
  const ending = new AbortController()
  const replica = `${name}@${hostname()}:${process.pid}`
  const opening = openMonitor({ service: name, replica, ...config.monitor })
  const starting = opening.then(({ meter, tracer }) => {
    if (meter) observeRequests(meter)
    return start({ config, log, replica, signal: ending.signal, meter, tracer })
  })
  let stopping = false
  const stop = (why: string) => {
    if (stopping) {
      log.warn({ why }, 'forced to stop')
      process.exit(1)
    }
    stopping = true
    ending.abort()
    log.info({ why }, 'stopping')
    void opening.then((monitor) => monitor.ending()).catch(() => {}) // It is not open: the start fails
    setTimeout(() => {
      log.error({ drainDeadlineMs }, 'did not stop in time')
      process.exit(1)
    }, drainDeadlineMs).unref()
    starting
      .catch(() => undefined) // Startup was aborted
      .then((running) => running?.stop())
      .then(() => opening.then((monitor) => monitor.stop()))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ error: describeError(error) }, 'failed while stopping')
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('disconnect', () => stop('supervisor gone'))
  process.on('unhandledRejection', (error) => {
    log.fatal({ error: describeError(error), stack: stackOf(error) }, 'unhandled rejection')
    process.exit(1)
  })
  try {
    const { checks = {} } = await starting
    const monitor = await opening
    monitor.ready(checks)
    process.send?.({ type: 'ready', monitor: monitor.url })
  } catch (error) {
    if (ending.signal.aborted) return
    log.fatal({ error: describeError(error) }, 'failed to start')
    process.exit(1)
  }
}

function readConfig(principal: string | undefined): Config {
  try {
    return loadConfig(environmentWith(principal === undefined ? {} : { TALLY_PRINCIPAL: principal }))
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`)
    process.exit(1)
  }
}
