import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import { askSupervisor } from './control.ts'
import { endLeftovers } from './leftovers.ts'
import { isAlive, signalTo } from './process-identity.ts'
import { lockDataDir, readStackRecord, recordFile } from './stack-record.ts'
import type { StackStatus } from './stack-record.ts'
import { startStack } from './supervisor.ts'
import type { Stack, StackOptions } from './supervisor.ts'

/** Longer than the deadlines of services, registry, Kafka and PostgreSQL together, which stop in turn. */
const patienceMs = 60_000

/** The stack that runs on a data folder, whichever process supervises it; undefined if none runs. */
export async function findStack(dataDir: string): Promise<StackStatus | undefined> {
  try {
    return (await askSupervisor(dataDir, 'status', { withinMs: 2_000 })) as StackStatus
  } catch {
    const record = readStackRecord(dataDir) // A supervisor that is too busy or frozen to answer still counts
    return record && isAlive(record.supervisor) ? record : undefined
  }
}

/**
 * Starts the stack of a data folder, or finds the one that runs there; waits for one that is stopping.
 * @throws TallyError as `startStack` does
 */
export async function startOrFindStack(
  config: Config,
  options: StackOptions,
): Promise<{ started: Stack } | { found: StackStatus }> {
  for (const deadline = performance.now() + patienceMs; ; await sleep(100)) {
    const started = await startStack(config, options)
    if (started) return { started }
    const found = await findStack(config.dataDir)
    if (found && found.state !== 'stopping') return { found }
    if (performance.now() > deadline)
      throw new TallyError('UNREACHABLE', `Another process uses ${config.dataDir} and does not answer`)
  }
}

/**
 * Stops the stack of a data folder and the processes that a killed supervisor left.
 * @returns false when there was nothing to stop
 * @throws TallyError UNREACHABLE when it does not stop in time
 */
export async function stopStack(dataDir: string, say: (text: string) => void = () => {}): Promise<boolean> {
  if (!existsSync(dataDir)) return false
  const record = readStackRecord(dataDir)
  const lock = (await lockDataDir(dataDir)) ?? (await takeOver(dataDir, record))
  try {
    const left = readStackRecord(dataDir)
    if (left) await endLeftovers(left, say)
    rmSync(recordFile(dataDir), { force: true })
    return record !== undefined
  } finally {
    lock.release()
  }
}

/** Tells the running supervisor to stop everything; kills it if it does not answer. */
async function takeOver(dataDir: string, record: StackStatus | undefined): Promise<{ release(): void }> {
  await askSupervisor(dataDir, 'down', { withinMs: 5_000 }).catch(
    () => record && signalTo(record.supervisor, 'SIGKILL'),
  )
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    const lock = await lockDataDir(dataDir)
    if (lock) return lock
    await sleep(50)
  }
  throw new TallyError('UNREACHABLE', `The stack of ${dataDir} did not stop within ${patienceMs / 1000} s`)
}
