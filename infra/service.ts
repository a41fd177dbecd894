import { describeError } from './errors.ts'
import type { Logger } from './telemetry.ts'

export interface Running {
  /** Ends the service: finishes what is under way, gives back what it holds. Called once. */
  stop(): Promise<void>
}

/**
 * The frame of every long-running process: starts the service, tells the supervisor it is ready, and ends on a signal.
 * The first SIGTERM or SIGINT drains, the second one (or the deadline) forces. A lost supervisor counts as a signal,
 * so that no service outlives it.
 */
export async function runService(
  log: Logger,
  start: () => Promise<Running>,
  { drainDeadlineMs = 10_000 }: { drainDeadlineMs?: number } = {},
): Promise<void> {
  const starting = start()
  let stopping = false
  const stop = (why: string) => {
    if (stopping) {
      log.warn({ why }, 'forced to stop')
      process.exit(1)
    }
    stopping = true
    log.info({ why }, 'stopping')
    setTimeout(() => {
      log.error({ drainDeadlineMs }, 'did not stop in time')
      process.exit(1)
    }, drainDeadlineMs).unref()
    starting
      .then((running) => running.stop())
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
    log.fatal(
      { error: describeError(error), stack: error instanceof Error ? error.stack : undefined },
      'unhandled rejection',
    )
    process.exit(1)
  })
  try {
    await starting
    process.send?.({ type: 'ready' })
  } catch (error) {
    log.fatal({ error: describeError(error) }, 'failed to start')
    process.exit(1)
  }
}
