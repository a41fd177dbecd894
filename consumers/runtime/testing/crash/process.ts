import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { TallyError } from '../../../../infra/errors.ts'
import { note } from '../../../../infra/testing/test-logger.ts'
import type { CrashPoint, PassedStep } from './plan.ts'

/** A process that runs a replica and may kill itself. */
export interface Victim extends Disposable {
  /** Starts the replica. @param crash when it kills itself; without it, the replica runs until it is stopped */
  start(crash?: CrashPoint): void
  readonly alive: boolean
  /** Stops it in an orderly way as soon as it has started, unless it is already dead or dies while stopping; see `ended`. */
  stop(): void
  /**
   * Resolves when the process has ended: with the steps it passed if it was stopped, with undefined if it killed itself.
   * @throws TallyError INVARIANT if it ended in any other way
   */
  readonly ended: Promise<PassedStep[] | undefined>
}

/** Starts such a process, which loads the consumer and waits. */
export function forkVictim(consumer: string, name: string, env: NodeJS.ProcessEnv): Victim {
  const child = fork(join(import.meta.dirname, 'victim.ts'), [consumer, name], { env, execArgv: [], silent: true })
  for (const output of [child.stdout, child.stderr]) output?.setEncoding('utf8').on('data', note)
  let steps: PassedStep[] | undefined
  const started = Promise.withResolvers<void>()
  child.on('message', (message: { type: string; steps?: PassedStep[] }) => {
    if (message.type === 'started') started.resolve()
    if (message.type === 'passed') steps = message.steps
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (signal === 'SIGKILL') return undefined
    if (code === 0 && steps) return steps
    throw new TallyError('INVARIANT', `${name} ended by itself with ${signal ?? `code ${code}`}; its log says why`)
  })
  ended.catch(() => {}) // Those who await `ended` handle the error
  return {
    start: (crash) => child.send({ crash }),
    get alive() {
      return child.exitCode === null && child.signalCode === null
    },
    stop: () => void started.promise.then(() => child.kill('SIGTERM')), // Before, it has no handler for the signal
    ended,
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  }
}
