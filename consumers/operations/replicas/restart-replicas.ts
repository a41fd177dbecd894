import { TallyError } from '../../../infra/errors.ts'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import { followChange } from './change-replicas.ts'
import type { Change, FollowOptions } from './change-replicas.ts'
import { askForRestart, replicasOf } from './running-stack.ts'

/** Restarted last: producers are the last to use what an upgrade brings. */
const ordersApi = 'orders-api'

export interface Restart {
  readonly consumers: readonly string[]
  /** Whether the orders API, too. */
  readonly api: boolean
}

/**
 * The services to restart.
 * @param asked `true` for all that run
 * @throws TallyError USAGE
 */
export function parseRestart(
  asked: true | readonly string[],
  stack: StackStatus,
  consumers: readonly string[],
): Restart {
  const running = consumers.filter((consumer) => replicasOf(stack, consumer).length > 0)
  const api = stack.processes.some(({ name }) => name === ordersApi)
  if (asked === true) return { consumers: running, api }
  for (const [index, name] of asked.entries()) {
    if (asked.indexOf(name) < index) throw usage(`${name} is named twice`)
    if (name === ordersApi && api) continue
    if (!consumers.includes(name))
      throw usage(`No service "${name}": there are ${[...consumers, ordersApi].join(', ')}`)
    if (!running.includes(name)) throw usage(`${name} does not run: \`npm run scale -- ${name}=1\` starts it`)
  }
  return { consumers: asked.filter((name) => name !== ordersApi), api: asked.includes(ordersApi) }
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

/**
 * Asks the supervisor to replace the orders API: a process that runs the current code takes over its port, open, and then the
 * old one drains.
 * @throws TallyError UNREACHABLE if the new one did not start: the old one still runs
 */
export const restartApi = (dataDir: string, withinMs: number): Promise<string[]> =>
  askForRestart(dataDir, { consumers: [ordersApi], startWithinMs: withinMs }, 1)

const usage = (sentence: string) => new TallyError('USAGE', sentence)
