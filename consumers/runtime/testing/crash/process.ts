import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { TallyError } from '../../../../infra/errors.ts'
import type { CrashPoint, PassedStep } from './plan.ts'

/** A process that will be a replica and may kill itself. */
export interface Victim extends Disposable {
  /** Starts the replica. @param crash when it kills itself; without one it lives until it is stopped */
  start(crash?: CrashPoint): void
  readonly alive: boolean
  /** Ends it in good order, unless it died before or dies of that; see `ended`. */
  stop(): void
  /**
   * Resolves when the process is gone: with the steps it passed if it ended in good order, with undefined if it killed itself.
   * @throws TallyError INVARIANT if it ended in any other way
   */
  readonly ended: Promise<PassedStep[] | undefined>
}

/** Starts such a process; it loads the consumer and waits. */
export function forkVictim(consumer: string, name: string, env: NodeJS.ProcessEnv): Victim {
  const child = fork(join(import.meta.dirname, 'victim.ts'), [consumer, name], { env, execArgv: [] })
  let steps: PassedStep[] | undefined
  child.on('message', (message: { type: string; steps?: PassedStep[] }) => {
    if (message.type === 'passed') steps = message.steps
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (signal === 'SIGKILL') return undefined
    if (code === 0 && steps) return steps
    throw new TallyError('INVARIANT', `${name} ended by itself with ${signal ?? `code ${code}`}; its log says why`)
  })
  ended.catch(() => {}) // Whoever waits for the end hears of it
  return {
    start: (crash) => child.send({ crash }),
    get alive() {
      return child.exitCode === null && child.signalCode === null
    },
    stop: () => child.kill('SIGTERM'),
    ended,
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  }
}
