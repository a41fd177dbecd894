import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { describeError, TallyError } from '../../errors.ts'
import { readAddress } from '../../server-address.ts'
import { serveControl } from './control.ts'
import type { ControlHandlers } from './control.ts'
import { deleteServerData, prepareDataDir } from './data-dir.ts'
import { endLeftovers } from './leftovers.ts'
import { assertPortFree } from './ports.ts'
import { identify } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { ProcessSpec } from './process-spec.ts'
import { dropRunningSettings, writeRunningSettings } from './running-settings.ts'
import { Scaling } from './scaling.ts'
import type { ReplicaSource } from './scaling.ts'
import { lockDataDir, readStackRecord, recordFile, targetsFile, writeRecord, writeTargets } from './stack-record.ts'
import type { StackStatus } from './stack-record.ts'
import { SupervisedProcess } from './supervised-process.ts'

export interface StackOptions {
  /** What to run, each after those it names in `after`: `[...embeddedServers(config), ...pipeline(config)]`. */
  processes: readonly ProcessSpec[]
  /** Called with one line per step, with its duration, and per unexpected end. */
  onProgress?: (line: string) => void
  /** Stops the stack, also during its start. */
  signal?: AbortSignal
  /** Deletes the data of the embedded servers first. */
  fresh?: boolean
  /** Makes replicas of consumers for the commands `scale` and `restart`, which are refused without it. */
  replicas?: ReplicaSource
  /** Commands in other terminals use the variables of this process: see `adoptRunningSettings`. */
  sharesSettings?: boolean
  /** More commands for the control socket. */
  commands?: ControlHandlers
}

export interface Stack {
  status(): StackStatus
  /** Stops everything: services at once, then simulators and servers in reverse order. Idempotent. */
  down(): Promise<void>
  /** Resolves when the stack is down, whatever stopped it. */
  readonly ended: Promise<void>
}

/**
 * Runs the stack of a data folder under this process until `down`, `signal` or `stopStack` from another process.
 * Resolves when every process was ready once (services that fail to start are retried in the background).
 * @returns undefined when the stack of that folder is already running: see `findStack`
 * @throws TallyError PORT_TAKEN, TOOL_MISSING; UNREACHABLE when a server or a step fails. The processes already started are
 *   stopped then
 */
export async function startStack(config: Config, options: StackOptions): Promise<Stack | undefined> {
  const { processes: specs, onProgress: say = () => {}, signal, fresh, commands, replicas, sharesSettings } = options
  const { dataDir } = config
  prepareDataDir(dataDir)
  const lock = await lockDataDir(dataDir)
  if (!lock) return undefined

  const startedAt = new Date().toISOString()
  let state: StackStatus['state'] = 'starting'
  const status = (): StackStatus => ({
    ...{ version: 1, state, startedAt, supervisor: identify(process.pid) as ProcessIdentity },
    addresses: addressesOf(config),
    processes: processes.map((each) => each.status()),
  })
  let unsaved = false
  const save = () => {
    try {
      const now = status()
      writeRecord(dataDir, now)
      writeTargets(dataDir, now)
      unsaved = false
    } catch (error) {
      if (!unsaved) say(`The state of the stack cannot be recorded in ${dataDir}: ${describeError(error)}`)
      unsaved = true // A full disk must not end the supervisor, and with it the stack
    }
  }
  const enter = (next: typeof state) => {
    state = next
    save()
  }
  const supervise = (spec: ProcessSpec) =>
    new SupervisedProcess(spec, { logDir: join(dataDir, 'logs'), onChange: save, say })
  const processes = specs.map(supervise)
  const scaling =
    replicas && new Scaling({ processes, replicas, supervise, save, isRunning: () => state === 'running' })

  const ended = Promise.withResolvers<void>()
  let going: Promise<void> | undefined
  const down = () => (going ??= stopAll())
  const stopAll = async () => {
    dropRunningSettings(dataDir)
    enter('stopping')
    await stopInOrder(processes)
    control?.close()
    signal?.removeEventListener('abort', down)
    process.off('exit', killAll)
    for (const file of [recordFile(dataDir), targetsFile(dataDir)]) rmSync(file, { force: true })
    lock.release()
    ended.resolve()
  }
  const killAll = () => processes.forEach((each) => each.kill())

  process.once('exit', killAll) // A crash of the supervisor or a second Ctrl-C: leave no process behind
  signal?.addEventListener('abort', down, { once: true })
  let control: { close(): void } | undefined
  try {
    const record = readStackRecord(dataDir)
    if (record) await endLeftovers(record, say)
    if (fresh) deleteServerData(dataDir)
    for (const { ports = [], title } of specs) for (const port of ports) await assertPortFree(port, title)
    save()
    if (sharesSettings)
      writeRunningSettings(
        dataDir,
        specs.some(({ kind }) => kind === 'service'),
      )
    control = await serveControl(dataDir, {
      status,
      down: () => void down(),
      ...(scaling && {
        scale: (request: unknown) => scaling.scale(request),
        restart: (request: unknown) => scaling.restart(request),
      }),
      ...commands,
    })
    await startInOrder(processes)
    signal?.throwIfAborted()
    if (going) throw new TallyError('UNREACHABLE', 'The stack was stopped while it started')
  } catch (error) {
    await down()
    throw error
  }
  enter('running')
  return { status, down, ended: ended.promise }
}

/** Starts each process as soon as its predecessors are ready. @throws the first error, while others are still starting */
async function startInOrder(processes: readonly SupervisedProcess[]): Promise<void> {
  const started = new Map<string, Promise<void>>()
  for (const process of processes) {
    const before = Promise.all(process.spec.after.flatMap((name) => started.get(name) ?? []))
    started.set(
      process.spec.name,
      before.then(() => process.start()),
    )
  }
  await Promise.all(started.values())
}

async function stopInOrder(processes: readonly SupervisedProcess[]): Promise<void> {
  const last = processes.filter(({ spec }) => spec.kind === 'server' || spec.kind === 'simulator')
  await Promise.all(processes.filter((each) => !last.includes(each)).map((each) => each.stop()))
  for (const each of last.toReversed()) await each.stop()
}

const addressesOf = ({ ports, registry, kafka, postgres }: Config): StackStatus['addresses'] => ({
  api: `http://127.0.0.1:${ports.api}`,
  registry: readAddress(registry.url).url,
  kafka: kafka.brokers.join(','),
  postgres: new URL(postgres.url).host,
})
