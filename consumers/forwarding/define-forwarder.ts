import { TallyError } from '../../infra/errors.ts'
import { eventFullNames } from '../../schemas/generated/events.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { defineConsumer } from '../runtime/handler.ts'
import type { Context, ConsumerDefinition } from '../runtime/handler.ts'
import { eventArrived, messageConfirmed, sendKind } from './decide-forwarding.ts'
import type { Line } from './decide-forwarding.ts'
import { forwardingTable } from './forwarding-table.ts'
import type { Message } from './message.ts'

/** A queue server confirms messages in groups, and late: fewer at a time would wait for it more than they cost. */
const callsAtOnce = 256

/** A queue to which messages are handed. */
export interface Queue {
  /** @throws Error if the queue can never take the message: its event is parked */
  check(message: Message): void
  /**
   * Resolves when the queue has confirmed that it keeps the message.
   * @throws TallyError UNREACHABLE if it has not, as far as is known; DENIED
   */
  send(message: Message, signal: AbortSignal): Promise<void>
}

/**
 * A consumer that hands events to a queue: each at least once, those of a key in the order in which it processed them.
 * @param events names of the event types, separated by commas; undefined: all
 */
export function defineForwarder(
  group: string,
  { events, setting }: { events: string | undefined; setting: string },
  queue: Queue,
): ConsumerDefinition<Line> {
  const check = (message: Message) => queue.check(message)
  return defineConsumer<Line>({
    group,
    effects: 'external',
    callsAtOnce,
    state: forwardingTable,
    handlers: Object.fromEntries(
      chosenTypes(events, setting).map((type) => [
        type,
        (data: object, line: Line, context: Context) => eventArrived(type, data, line, { context, check }),
      ]),
    ),
    calls: {
      [sendKind]: {
        async make(message: Message, { signal }: { signal: AbortSignal }) {
          await queue.send(message, signal)
          return {}
        },
        handle: (_answer, line) => messageConfirmed(line),
      },
    },
  })
}

/** @throws TallyError CONFIG_INVALID */
function chosenTypes(events: string | undefined, setting: string): EventType[] {
  const every = Object.keys(eventFullNames) as EventType[]
  if (events === undefined) return every
  const chosen = events.split(',').map((name) => name.trim())
  const unknown = chosen.filter((name) => !(every as string[]).includes(name))
  if (unknown.length === 0) return chosen as EventType[]
  throw new TallyError(
    'CONFIG_INVALID',
    `Configuration: ${setting}: no event type "${unknown.join('", "')}": there are ${every.join(', ')}`,
  )
}
