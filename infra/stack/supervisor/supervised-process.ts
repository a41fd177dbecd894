import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, TallyError } from '../../errors.ts'
import { settlesWithin } from '../../promises.ts'
import { adviceFor } from '../failures/advice.ts'
import { FailureNotes } from '../failures/failure-notes.ts'
import { giveListener, inheritsArgument, takeListener } from './hand-over.ts'
import type { ListeningSocket } from './hand-over.ts'
import { hasEnded, launch, sentenceOf, stop, whenReady } from './launch.ts'
import type { ProcessSpec, RunningProcess } from './process-spec.ts'
import type { ProcessState, ProcessStatus } from './stack-record.ts'

export interface SupervisionOptions {
  logDir: string
  /** Called first after every change of state. */
  onChange: () => void
  say: (text: string) => void
}

const firstBackoffMs = 250
const longestBackoffMs = 15_000
/** A process that ran this long restarts with the shortest backoff, ms. */
const healthyAfterMs = 30_000

/** One supervised process: restarted, with backoff, whenever it ends unexpectedly. */
export class SupervisedProcess {
  readonly spec: ProcessSpec
  readonly #options: SupervisionOptions
  #state: ProcessState = 'waiting'
  #since = new Date()
  #restarts = 0
  #lastExit: string | undefined
  #monitor: string | undefined
  #running: RunningProcess | undefined
  #loop: Promise<void> = Promise.resolve()
  #inherited: ListeningSocket | undefined
  readonly #notes = new FailureNotes()
  /** Why it did not start the last time. */
  #startFailure: string | undefined
  readonly #stopping = new AbortController()

  constructor(spec: ProcessSpec, options: SupervisionOptions) {
    this.spec = spec
    this.#options = options
  }

  status(): ProcessStatus {
    const { name, title, kind, consumer, ports, stopSignal, stopWithinMs } = this.spec
    return {
      ...{ name, title, kind, consumer, ports, stopSignal, stopWithinMs },
      state: this.#state,
      since: this.#since.toISOString(),
      restarts: this.#restarts,
      identity: this.#running?.identity,
      monitor: this.#state === 'ready' ? this.#monitor : undefined,
      lastExit: this.#lastExit,
    }
  }

  /**
   * Resolves when it is ready for the first time. A service that fails to start is retried in the background, unless
   * another attempt cannot help; any other process rejects.
   * @param orFail rejects for a service, too
   * @throws TallyError
   */
  async start({ orFail = this.spec.kind !== 'service' } = {}): Promise<void> {
    const first = this.#startFirst(orFail)
    this.#loop = first.catch(() => {})
    await first
    if (this.spec.kind !== 'step' && !this.#stopping.signal.aborted) this.#loop = this.#keepRunning()
  }

  /**
   * Before the start: it will listen on the socket of the process that it replaces.
   * @throws TallyError UNREACHABLE if that gives none
   */
  async inherit(predecessor: SupervisedProcess): Promise<void> {
    const { title } = predecessor.spec
    const child = predecessor.#running?.child
    this.#inherited = child && (await takeListener(child))
    if (!this.#inherited)
      throw new TallyError('UNREACHABLE', `${title} does not hand over its port: stop the stack and start it again`)
  }

  /** Stops the process and waits until it has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#inherited?.close()
    this.#inherited = undefined
    if (this.#running) {
      this.#enter('stopping')
      await stop(this.#running)
    }
    await this.#loop
    this.#running = undefined
    if (this.#state !== 'done' && this.#state !== 'failed') this.#enter('stopped')
  }

  /** For the exit handler of the supervisor, which cannot wait. */
  kill(): void {
    this.#stopping.abort()
    this.#running?.child.kill('SIGKILL')
  }

  async #startFirst(orFail: boolean): Promise<void> {
    if (this.#stopping.signal.aborted) return // While waiting for others
    const began = performance.now()
    try {
      await this.#bringUp()
      if (this.#stopping.signal.aborted) return
      this.#options.say(`${this.spec.title} … ${((performance.now() - began) / 1000).toFixed(1)} s`)
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#startFailure = describeError(error)
      if (orFail || adviceFor(this.#startFailure)?.definite) {
        this.#enter('failed')
        throw error
      }
    }
  }

  async #bringUp(recovered = false): Promise<void> {
    this.#enter('starting')
    const line = await this.spec.prepare((text) => this.#options.say(`${this.spec.title}: ${text}`))
    if (this.#stopping.signal.aborted) return
    const inherited = this.#inherited
    const args = inherited ? [...line.args, inheritsArgument] : line.args
    const running = await launch(this.spec, { ...line, args }, this.#options.logDir)
    this.#running = running
    if (inherited) giveListener(running.child, inherited)
    this.#inherited = undefined // When it is restarted after a crash, nobody has the port
    this.#enter('starting')
    try {
      if (this.#stopping.signal.aborted) await stop(running)
      this.#monitor = await whenReady(running, (sentence) => this.#options.say(sentence))
    } catch (error) {
      const ended = hasEnded(running)
      await stop(running) // It may be alive but unresponsive
      this.#running = undefined
      if (ended && !recovered && !this.#stopping.signal.aborted && this.spec.recover?.()) return this.#bringUp(true)
      throw error
    }
    if (this.spec.kind === 'step') this.#running = undefined
    this.#enter(this.spec.kind === 'step' ? 'done' : 'ready')
  }

  async #keepRunning(): Promise<void> {
    let backoffMs = firstBackoffMs
    for (;;) {
      const running = this.#running
      const healthy = running && (await this.#outlives(running, healthyAfterMs))
      this.#lastExit = (await running?.exited) ?? 'failed to start'
      this.#running = undefined
      if (this.#stopping.signal.aborted) return
      if (healthy) backoffMs = firstBackoffMs
      this.#restarts++
      this.#enter('restarting')
      this.#sayFailure(running, backoffMs)
      await sleep(backoffMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs)
      this.#startFailure = undefined
      await this.#bringUp().then(
        () => this.#notes.failures === 1 && this.#say('is ready again'),
        (error: unknown) => (this.#startFailure = describeError(error)),
      )
      if (this.#stopping.signal.aborted && !this.#running) return
    }
  }

  /** Whether it runs for this time. If it failed repeatedly before, only then it is said to be ready again. */
  async #outlives({ exited }: RunningProcess, ms: number): Promise<boolean> {
    if (!(await settlesWithin(exited, ms))) {
      if (this.#notes.failures > 1) this.#say(`is ready again, after ${this.#notes.failures} failures`)
      this.#notes.recovered()
      return true
    }
    return false
  }

  /** What a process ended with that was killed is not its own cause: its log tells of something else. */
  #sayFailure(running: RunningProcess | undefined, backoffMs: number): void {
    const ended = `ended (${this.#lastExit})`
    const sentence = this.#startFailure ?? (running ? sentenceOf(running, ended, true) : `${this.spec.title} ${ended}`)
    if (!this.#notes.failed(sentence)) return
    const again = `again in ${backoffMs / 1000} s`
    const { failures } = this.#notes
    const killed = running && !this.#lastExit?.startsWith('exit code')
    if (killed && failures === 1) this.#say(`${ended}, ${again}`)
    else this.#options.say(`${timeOfDay()} ${sentence} (attempt ${failures}, ${again})`)
  }

  /** With the time of day, because these lines are read later. */
  #say(what: string): void {
    this.#options.say(`${timeOfDay()} ${this.spec.title} ${what}`)
  }

  #enter(state: ProcessState): void {
    this.#state = state
    this.#since = new Date()
    this.#options.onChange()
  }
}

const timeOfDay = (): string => new Date().toTimeString().slice(0, 8)
