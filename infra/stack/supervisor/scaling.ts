import { z } from 'zod'
import { describeError, TallyError } from '../../errors.ts'
import { settlesWithin } from '../../promises.ts'
import type { ProcessSpec } from './process-spec.ts'
import type { SupervisedProcess } from './supervised-process.ts'

/** Maximum number of replicas of one consumer. A lane has one owner, and there are usually a dozen lanes. */
export const mostReplicas = 32

/** How many replicas each consumer has, by name. */
export type ReplicaCounts = Readonly<Record<string, number>>

/** Creates the replicas of consumers. */
export interface ReplicaSource {
  /** Consumers that exist now: one may have been added since the stack was started. */
  consumers(): readonly string[]
  /** @param number 1 for the first */
  replica(consumer: string, number: number): ProcessSpec
  /** Steps to run before the first replica of a consumer that the stack did not run before. */
  joining(consumer: string): readonly ProcessSpec[]
}

/** Argument of the control command `scale`. 0 ends a consumer. */
const scaleRequest = z.object({
  replicas: z.record(z.string(), z.int().min(0).max(mostReplicas)),
  /** How long each new replica may take to get ready, milliseconds. */
  startWithinMs: z.int().positive(),
})
export type ScaleRequest = z.infer<typeof scaleRequest>

/** Argument of the control command `restart`. */
const restartRequest = z.object({
  /** Consumers, and other services that hand over their port. */
  consumers: z.array(z.string()).min(1),
  /** How long each replica may take to get ready, milliseconds. */
  startWithinMs: z.int().positive(),
})
export type RestartRequest = z.infer<typeof restartRequest>

export interface ScalingOptions {
  /** The processes of the stack; replicas are added and removed. */
  processes: SupervisedProcess[]
  replicas: ReplicaSource
  supervise(spec: ProcessSpec): SupervisedProcess
  /** Called when `processes` has changed. */
  save(): void
  isRunning(): boolean
}

/** Adds, removes and replaces the replicas of consumers while the stack runs. */
export class Scaling {
  readonly #options: ScalingOptions
  #underWay = false

  constructor(options: ScalingOptions) {
    this.#options = options
  }

  /**
   * First starts the added replicas and waits until all are ready, then stops the replicas with the highest numbers: they
   * drain, publish and leave. If one does not start, the added ones are stopped again.
   * @returns the numbers of replicas of all consumers now
   * @throws TallyError USAGE for an invalid request; BUSY while another command runs; UNREACHABLE if a replica does not start
   */
  async scale(argument: unknown): Promise<ReplicaCounts> {
    const request = this.#check(argument)
    return this.#alone(async () => {
      const wanted = Object.entries(request.replicas)
      await this.#grow(wanted, request.startWithinMs)
      const surplus = wanted.flatMap(([consumer, count]) => this.#replicasOf(consumer).slice(count))
      await this.#end(surplus)
      return this.#counts()
    })
  }

  /**
   * Replaces every replica of these services, one after the other: starts a process with the code now on disk and, once it is
   * ready, stops the old one. A service with a port for clients hands it over open. The first replica that does not become ready ends the restart: its old process stays. Replicas
   * that were replaced before stay replaced, because their old code is gone.
   * @returns names of the replaced replicas
   * @throws TallyError USAGE for an invalid request; BUSY while another command runs; UNREACHABLE if a replica does not start,
   *   naming those replaced before
   */
  async restart(argument: unknown): Promise<string[]> {
    const { data, error } = restartRequest.safeParse(argument)
    if (!data) throw new TallyError('USAGE', `This cannot be restarted: ${z.prettifyError(error)}`)
    this.#assertFree()
    const consumers = new Set(data.consumers)
    for (const consumer of consumers) {
      if (this.#replaceable(consumer).length > 0) continue
      if (!this.#options.replicas.consumers().includes(consumer)) throw this.#unknown(consumer)
      throw new TallyError('USAGE', `${consumer} does not run: \`npm run scale -- ${consumer}=1\` starts it`)
    }
    return this.#alone(async () => {
      const old = [...consumers].flatMap((consumer) => this.#replaceable(consumer))
      const names = old.map(({ spec }) => spec.name)
      for (const [index, each] of old.entries()) {
        await this.#replace(each, data.startWithinMs).catch((error: unknown) => {
          const done =
            index > 0 ? `Restarted before that: ${names.slice(0, index).join(', ')}. ` : 'Nothing was changed. '
          const kept = `Still running: ${names.slice(index).join(', ')}`
          throw new TallyError('UNREACHABLE', `${describeError(error)}\n${done}${kept}`, { cause: error })
        })
      }
      return names
    })
  }

  async #replace(old: SupervisedProcess, startWithinMs: number): Promise<void> {
    this.#assertRunning()
    const added = this.#insert(old.spec, this.#options.processes.indexOf(old) + 1)
    try {
      if (old.spec.handsOver) await added.inherit(old)
      await startWithin(added, startWithinMs)
      this.#assertRunning()
    } catch (error) {
      await this.#end([added])
      throw error
    }
    await this.#end([old])
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay = true
    try {
      return await work()
    } finally {
      this.#underWay = false
    }
  }

  #assertFree(): void {
    if (!this.#options.isRunning())
      throw new TallyError('BUSY', 'The stack is starting or stopping: try again when it is running')
    if (this.#underWay) throw new TallyError('BUSY', 'Another scale command is running: wait until it has finished')
  }

  #assertRunning(): void {
    if (!this.#options.isRunning()) throw new TallyError('BUSY', 'The stack is being stopped')
  }

  #unknown(consumer: string): TallyError {
    const known = this.#options.replicas.consumers().join(', ')
    return new TallyError('USAGE', `No consumer "${consumer}": there are ${known}`)
  }

  #check(argument: unknown): ScaleRequest {
    const { data, error } = scaleRequest.safeParse(argument)
    if (!data) throw new TallyError('USAGE', `This cannot be scaled to: ${z.prettifyError(error)}`)
    this.#assertFree()
    const { processes, replicas } = this.#options
    const consumers = replicas.consumers()
    for (const [consumer, count] of Object.entries(data.replicas)) {
      if (count > 0 ? !consumers.includes(consumer) : this.#replicasOf(consumer).length === 0)
        throw this.#unknown(consumer)
      const taken = this.#missing(consumer, count).find(({ name }) => processes.some(({ spec }) => spec.name === name))
      if (taken) throw new TallyError('USAGE', `Another process has the name ${taken.name}: rename that consumer`)
    }
    return data
  }

  async #grow(wanted: readonly (readonly [string, number])[], startWithinMs: number): Promise<void> {
    const before = this.#counts()
    const added: SupervisedProcess[] = []
    const start = async (specs: readonly ProcessSpec[]) => {
      const started = specs.map((spec) => this.#add(spec))
      added.push(...started)
      await Promise.all(started.map((each) => startWithin(each, startWithinMs)))
      this.#assertRunning()
    }
    const { replicas } = this.#options
    try {
      for (const [consumer] of wanted) {
        if (consumer in before) continue
        for (const step of replicas.joining(consumer)) {
          await start([step])
          this.#remove(added.splice(-1))
        }
      }
      await start(wanted.flatMap(([consumer, count]) => this.#missing(consumer, count)))
    } catch (error) {
      await this.#end(added)
      const kept = wanted.map(([consumer]) => `${consumer}=${before[consumer] ?? 0}`).join(' ')
      const why = `${describeError(error)}\nNothing was changed. Replicas as before: ${kept}`
      throw new TallyError('UNREACHABLE', why, { cause: error })
    }
  }

  #missing(consumer: string, count: number): ProcessSpec[] {
    const there = this.#replicasOf(consumer).length
    return Array.from({ length: Math.max(0, count - there) }, (_, index) =>
      this.#options.replicas.replica(consumer, there + index + 1),
    )
  }

  /** By number: only the last ones are ever removed. */
  #replicasOf(consumer: string): SupervisedProcess[] {
    return this.#options.processes.filter(({ spec }) => spec.consumer === consumer)
  }

  /** The processes of a consumer, or of another service that can be replaced while it runs. */
  #replaceable(name: string): SupervisedProcess[] {
    const is = ({ spec }: SupervisedProcess) =>
      spec.consumer === name || (spec.handsOver === true && spec.name === name)
    return this.#options.processes.filter(is)
  }

  #counts(): ReplicaCounts {
    const replicas = this.#options.processes.filter(({ spec }) => spec.consumer !== undefined)
    const groups = Map.groupBy(replicas, ({ spec }) => spec.consumer ?? '')
    return Object.fromEntries([...groups].map(([consumer, found]) => [consumer, found.length]))
  }

  #add(spec: ProcessSpec): SupervisedProcess {
    const { processes } = this.#options
    const last = processes.findLastIndex(
      ({ spec: { consumer } }) => consumer !== undefined && consumer === spec.consumer,
    )
    return this.#insert(spec, last < 0 ? processes.length : last + 1)
  }

  #insert(spec: ProcessSpec, at: number): SupervisedProcess {
    const { processes, supervise, save } = this.#options
    const added = supervise(spec)
    processes.splice(at, 0, added)
    save()
    return added
  }

  async #end(ending: readonly SupervisedProcess[]): Promise<void> {
    await Promise.all(ending.map((each) => each.stop()))
    this.#remove(ending)
  }

  #remove(gone: readonly SupervisedProcess[]): void {
    const { processes, save } = this.#options
    for (const each of gone) {
      const at = processes.indexOf(each)
      if (at >= 0) processes.splice(at, 1)
    }
    save()
  }
}

/** @throws TallyError UNREACHABLE */
async function startWithin(process: SupervisedProcess, ms: number): Promise<void> {
  if (await settlesWithin(process.start({ orFail: true }), ms)) return
  const { title, name } = process.spec
  throw new TallyError('UNREACHABLE', `${title} was not ready within ${ms / 1000} s: see its log ${name}.log`)
}
