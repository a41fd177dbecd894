import { TallyError } from '../../../infra/errors.ts'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import { followChange } from './change-replicas.ts'
import type { Change, FollowOptions } from './change-replicas.ts'
import { askForRestart, replicasOf } from './running-stack.ts'

/**
 * The consumers to restart.
 * @param asked `true` for all that run
 * @throws TallyError USAGE
 */
export function parseRestart(
  asked: true | readonly string[],
  stack: StackStatus,
  consumers: readonly string[],
): readonly string[] {
  const running = consumers.filter((consumer) => replicasOf(stack, consumer).length > 0)
  if (asked === true) return running
  for (const [index, name] of asked.entries()) {
    if (!consumers.includes(name)) throw usage(`No consumer "${name}": there are ${consumers.join(', ')}`)
    if (!running.includes(name)) throw usage(`${name} does not run: \`npm run scale -- ${name}=1\` starts it`)
    if (asked.indexOf(name) < index) throw usage(`${name} is named twice`)
  }
  return asked
}

/**
 * Asks the supervisor to replace every replica of these consumers, one after the other, by one that runs the current
 * code, and watches every lane until it has settled.
 * @throws TallyError UNREACHABLE if a replica did not start (it and those after it keep running the old code) or lanes
 *   did not settle
 */
export function restartReplicas(
  consumers: readonly string[],
  { stack, ...options }: FollowOptions & { stack: StackStatus },
): Promise<Change[]> {
  const count = consumers.reduce((sum, consumer) => sum + replicasOf(stack, consumer).length, 0)
  return followChange(consumers, options, () =>
    askForRestart(options.config.dataDir, { consumers: [...consumers], startWithinMs: options.withinMs }, count),
  )
}

const usage = (sentence: string) => new TallyError('USAGE', sentence)
