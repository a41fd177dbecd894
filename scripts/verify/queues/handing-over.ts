import type { Group } from '../../../consumers/operations/groups.ts'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { HandedOver } from '../invariants/handed-over.ts'
import type { ReadHistoryOptions } from '../topic-history.ts'
import { drainEvents } from './drain-events.ts'
import type { EventQueue } from './drain-events.ts'

/** Both sides of a comparison: what came out of a queue, and the events on the topics that should have gone in. */
export interface HandingOver extends Required<Pick<ReadHistoryOptions, 'onEvent'>> {
  /** Once the topics are read. */
  account(): HandedOver
}

/** @throws as `drainEvents`; TallyError PRECONDITION_FAILED if nothing forwards to that server */
export async function handingOver(config: Config, queue: EventQueue, groups: readonly Group[]): Promise<HandingOver> {
  const forwarder = groups.find(({ name }) => name === `forward-${queue.server}`)
  if (!forwarder)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `No consumer forwards events to ${queue.server}: set TALLY_FORWARD_${queue.server.toUpperCase()} as the stack has it`,
    )
  const drained = await drainEvents(config, queue)
  const events = new Map<string, string>()
  let unnamed = 0
  return {
    onEvent({ topic, type, id, place }) {
      if (!forwarder.topics.has(topic) || !forwarder.handles.has(type)) return
      if (id === undefined) unnamed++
      else events.set(id, place)
    },
    account: () => ({ group: forwarder.name, drained, events, unnamed }),
  }
}
