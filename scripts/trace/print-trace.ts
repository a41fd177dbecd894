import type {
  EventNode,
  OrderTrace,
  PastRetry,
  Pending,
  Reaction,
  Replayed,
} from '../../consumers/operations/trace/order-trace.ts'
import { count, duration } from '../cli/figures.ts'
import { terminalWidth, wrap } from '../cli/terminal.ts'

/** A line of the tree and what hangs from it. */
interface Branch {
  readonly text: string
  readonly below: readonly Branch[]
}

/** The trace of an order as lines: events, who took them, what came of them, and what is still to come. */
export function traceLines(trace: OrderTrace, width = terminalWidth()): string[] {
  const { orderId, status, traceId, beganAt = 0, roots, pending, gaps } = trace
  const branches = [...roots.map((root) => eventBranch(root, beganAt)), ...pending.map(pendingBranch)]
  const all = roots.flatMap(eventsBelow)
  const lasted = Math.max(0, ...all.map(({ time = beganAt }) => time - beganAt))
  const told = `${status ?? 'unknown to the services'}, ${count(all.length, 'event')} in ${duration(lasted)}`
  return [
    `Order ${orderId}: ${told}`,
    `Trace ${traceId}`,
    '',
    ...branches.flatMap((branch) => drawn(branch, width)),
    ...gaps,
  ]
}

const eventsBelow = (event: EventNode): EventNode[] => [
  event,
  ...event.reactions.flatMap(({ events }) => events.flatMap(eventsBelow)),
]

/** A text that is too long continues beside the line to what hangs from it. */
function drawn({ text, below }: Branch, width: number): string[] {
  const [first = '', ...more] = text.length <= width ? [text] : wrap(text, width - 3)
  return [
    first,
    ...more.map((line) => `${below.length > 0 ? '│  ' : '   '}${line}`),
    ...below.flatMap((branch, at) => {
      const last = at === below.length - 1
      return drawn(branch, width - 3).map(
        (line, index) => `${index > 0 ? (last ? '   ' : '│  ') : last ? '└─ ' : '├─ '}${line}`,
      )
    }),
  ]
}

function eventBranch(event: EventNode, beganAt: number): Branch {
  const { type, time, writer, reactions, way, causationId } = event
  const by = causationId === undefined ? ` by ${writer}` : ''
  const via = way.length > 0 ? `${way.join(', then ')} → ` : ''
  const when = time === undefined ? '' : ` +${duration(time - beganAt)}`
  return {
    text: `${via}${type}${by}${when} (${publicationOf(event)})`,
    below: reactions.map((reaction) => reactionBranch(reaction, event, beganAt)),
  }
}

function publicationOf({ place, publishedAt, time }: EventNode): string {
  if (publishedAt !== undefined)
    return `${place}, published after ${duration(Math.max(0, publishedAt - (time ?? publishedAt)))}`
  return time === undefined ? 'waits in the outbox' : 'its record is gone'
}

function reactionBranch(
  { group, takenAt, pending, retries, replays, events }: Reaction,
  event: EventNode,
  beganAt: number,
): Branch {
  const since = event.publishedAt ?? event.time ?? takenAt ?? 0
  const taken = takenAt === undefined ? '' : ` took it after ${duration(Math.max(0, takenAt - since))}`
  return {
    text: `${group}${taken}`,
    below: [
      ...retries.map(retryBranch),
      ...replays.map(replayBranch),
      ...pending.map(pendingBranch),
      ...events.map((each) => eventBranch(each, beganAt)),
    ],
  }
}

const retryBranch = ({ action, actor, at }: PastRetry): Branch => ({
  text: `was parked, then ${action} by ${actor} at ${new Date(at).toISOString()}`,
  below: [],
})

const again = { redeliver: 'was redelivered', rebuild: 'was folded again', reprocess: 'was reprocessed' }

const replayBranch = ({ mode, replay, actor, at, undone }: Replayed): Branch => ({
  text: `${again[mode]} by replay ${replay} of ${actor}, begun at ${new Date(at).toISOString()}${undone ? ' and undone since' : ''}`,
  below: [],
})

function pendingBranch({ group, what, kind, attempts, error }: Pending): Branch {
  const tried = attempts > 0 ? `, ${count(attempts, 'attempt')}` : ''
  const why = error ? `: ${error}` : ''
  const told = { call: 'waits for the answer to', timer: 'waits for the timer', parked: 'has parked it:' }[what]
  return { text: `${group} ${told} ${kind}${tried}${why}`, below: [] }
}
