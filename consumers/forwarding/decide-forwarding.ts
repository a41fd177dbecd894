import type { EventType } from '../../schemas/generated/events.ts'
import type { Context, Decision } from '../runtime/handler.ts'
import { messageOf } from './message.ts'
import type { Message } from './message.ts'

/**
 * The messages of one key that the queue has not confirmed. Only the first of them is being sent, so that a retry cannot
 * put it behind the next one.
 */
export interface Line {
  /** Whether a message of the key is being sent. */
  readonly sending: boolean
  /** Number of the stored message that is being sent. */
  readonly first?: number | undefined
  /** The stored message behind it. */
  readonly next?: Message | undefined
  /** Not stored yet; null for one whose text is in its call. */
  readonly fresh: readonly (Message | null)[]
  /** Number of the message that was confirmed: it is to be deleted. */
  readonly confirmed?: number | undefined
}

export const emptyLine: Line = { sending: false, fresh: [] }

export const sendKind = 'send'

/** Sends an event, or has it wait for those of its key. @param check throws if the queue can never take the message */
export function eventArrived(
  type: EventType,
  data: object,
  line: Line,
  { context, check }: { context: Context; check: (message: Message) => void },
): Decision<Line> {
  const message = messageOf(type, data, context)
  check(message)
  if (line.sending) return { state: { ...line, fresh: [...line.fresh, message] } }
  return { state: { ...line, sending: true, fresh: [null] }, calls: [{ kind: sendKind, request: message }] }
}

/** The queue has confirmed the first message of the key: sends the next one. */
export function messageConfirmed(line: Line): Decision<Line> {
  if (line.first === undefined || line.confirmed !== undefined) return {} // An answer counts once
  const next = line.next ?? line.fresh[0]
  const state = { ...line, sending: next !== undefined, next: undefined, confirmed: line.first }
  return next ? { state, calls: [{ kind: sendKind, request: next }] } : { state }
}
