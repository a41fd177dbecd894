import { TallyError } from '../../../infra/errors.ts'
import { askSupervisor } from '../../../infra/stack/supervisor/control.ts'
import { findStack } from '../../../infra/stack/supervisor/running-stack.ts'
import type { ReplicaCounts, RestartRequest, ScaleRequest } from '../../../infra/stack/supervisor/scaling.ts'
import type { ProcessStatus, StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'

/** Longer than a replica needs to drain before it is killed. */
const stopWithinMs = 20_000

/**
 * The stack whose consumers are scaled.
 * @throws TallyError PRECONDITION_FAILED if no such stack runs
 */
export async function requireStack(dataDir: string): Promise<StackStatus> {
  const found = await findStack(dataDir)
  if (!found) throw new TallyError('PRECONDITION_FAILED', `Nothing runs on ${dataDir}: \`npm start\` starts it`)
  if ((found.version as number) !== 1)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `The stack on ${dataDir} was started by another version of Tally: stop and start it again`,
    )
  if (found.state !== 'running')
    throw new TallyError('BUSY', `The stack on ${dataDir} is ${found.state}: try again when it runs`)
  return found
}

/** @throws TallyError the error reported by the supervisor */
export const askForReplicas = (dataDir: string, argument: ScaleRequest): Promise<ReplicaCounts> =>
  askSupervisor(dataDir, 'scale', {
    withinMs: 2 * argument.startWithinMs + stopWithinMs, // A consumer that joins takes steps before it starts
    argument,
  }) as Promise<ReplicaCounts>

/**
 * @param replicas how many there are to restart
 * @returns names of the replicas restarted
 * @throws TallyError as the supervisor does
 */
export const askForRestart = (dataDir: string, argument: RestartRequest, replicas: number): Promise<string[]> =>
  askSupervisor(dataDir, 'restart', {
    withinMs: replicas * (argument.startWithinMs + stopWithinMs), // One after the other
    argument,
  }) as Promise<string[]>

/** By number. */
export const replicasOf = ({ processes }: StackStatus, consumer: string): ProcessStatus[] =>
  processes.filter((process) => process.consumer === consumer)
