import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { TallyError } from '../../infra/errors.ts'
import { readStackRecord } from '../../infra/stack/supervisor/stack-record.ts'
import type { Ground, Repeat } from './benchmark.ts'
import { cpuOf } from './processes.ts'
import { startMachineWatch } from './watch.ts'

/** The last line of output of a measured program, written by `startMeasuring`. */
interface Finished {
  events: number
  seconds: number
  cpuSeconds: number
  /** Counts that prove that all work was done. */
  counts: Readonly<Record<string, number>>
}

export interface Program {
  command: string
  args: readonly string[]
}

/** A program in TypeScript, which reads its parameters with `readParameters`. */
export const script = (path: string, parameters: object, { profiles }: Pick<Ground, 'profiles'> = {}): Program => ({
  command: process.execPath,
  args: [...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : []), path, JSON.stringify(parameters)],
})

/**
 * Runs a measured program in a separate process with the sandbox's environment.
 * @param otherDataDir of a stack with further servers, whose processor time counts, too
 * @throws TallyError INVARIANT with its output if it fails or reports nothing
 */
export async function runProgram(
  { sandbox, signal }: Pick<Ground, 'sandbox' | 'signal'>,
  { command, args }: Program,
  otherDataDir?: string,
): Promise<Repeat & { counts: Finished['counts'] }> {
  const child = spawn(command, args, { env: sandbox.env, stdio: ['ignore', 'pipe', 'pipe'], signal })
  child.on('error', () => {}) // Reported by its exit
  const exited = once(child, 'exit').catch(() => {})
  const complaints = text(child.stderr)
  const serverFigures = await startServerAccount({ sandbox }, otherDataDir)
  let machineSeconds: (() => number) | undefined
  let measured: (Repeat & { counts: Finished['counts'] }) | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue // Some libraries print a banner
    const said = JSON.parse(line) as Partial<Finished>
    if (said.events === undefined) machineSeconds = startMachineWatch()
    else {
      const { events } = said as Finished
      measured = { ...toRepeat(said as Finished, machineSeconds?.()), figures: await serverFigures(events) }
    }
  }
  await exited
  signal.throwIfAborted()
  if (child.exitCode === 0 && measured) return measured
  const why = (await complaints).trimEnd().split('\n').slice(-12).join('\n')
  throw new TallyError('INVARIANT', `${args.at(-2)} ended with ${child.signalCode ?? child.exitCode}: ${why}`)
}

const toRepeat = ({ events, seconds, cpuSeconds, counts }: Finished, machineSeconds?: number) => ({
  perSecond: events / seconds,
  cpuPerEvent: cpuSeconds / events,
  machineCpuPerEvent: machineSeconds === undefined ? undefined : machineSeconds / events,
  counts,
})

/**
 * Begins to count what the work costs the servers that the benchmark has started: CPU of each and bytes of PostgreSQL's log.
 * @returns a function that gives the figures per event
 */
export async function startServerAccount(
  { sandbox }: Pick<Ground, 'sandbox'>,
  otherDataDir?: string,
): Promise<(events: number) => Promise<Record<string, number>>> {
  const dataDirs = [sandbox.config.dataDir, ...(otherDataDir === undefined ? [] : [otherDataDir])]
  const servers = dataDirs.flatMap((dir) => readStackRecord(dir)?.processes ?? []) // None if external servers are used
  const roots = new Map(servers.flatMap(({ name, identity }) => (identity ? [[name, identity.pid] as const] : [])))
  const look = async () => {
    const { rows } = await sandbox.pool.query<{ bytes: number }>(
      `select (pg_current_wal_insert_lsn() - '0/0')::bigint as bytes`,
    )
    return { cpu: cpuOf(roots), bytes: rows[0]?.bytes ?? 0 }
  }
  const before = await look()
  return async (events) => {
    const after = await look()
    const each = [...after.cpu].map(([name, seconds]): [string, number] => [
      `${name} µs`,
      ((seconds - (before.cpu.get(name) ?? 0)) * 1e6) / events,
    ])
    return { ...Object.fromEntries(each), 'WAL bytes': (after.bytes - before.bytes) / events }
  }
}
