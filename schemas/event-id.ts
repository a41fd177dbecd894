import { createHash, randomUUID } from 'node:crypto'
import { isPlausibleTime } from './time.ts'

/** A new random id that sorts by time: UUID version 7. `time` is UTC epoch ms. */
export const newEventId = (time: number = Date.now()): string => `${timePrefix(time)}-7${randomUUID().slice(15)}`

export interface Derivation {
  /** When the event that started the chain happened, UTC epoch ms: carried along so that the ids of a chain lie together. */
  chainTime: number
  group: string
  /** Id of the event being handled. */
  causeId: string
  type: string
  /** Counts the events of this type the handler emits for this cause, from 0. */
  ordinal: number
  /** Number of the replay that corrects what followed the first time: others shall take the event as a new one. */
  correctedBy?: number
}

/**
 * The id of an event a handler emits: UUID version 8, the chain's time in front, then a hash of what makes it this event.
 * Handling the cause again emits the same ids, so that everyone downstream takes the repeat for what it is.
 */
export function derivedEventId({ chainTime, group, causeId, type, ordinal, correctedBy }: Derivation): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([group, causeId, type, ordinal]))
    .update(correctedBy === undefined ? '' : `corrected by ${correctedBy}`)
    .digest('hex')
  const variant = (0x8 | (Number.parseInt(hash.charAt(3), 16) & 0x3)).toString(16)
  return `${timePrefix(chainTime)}-8${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`
}

const timed = /^[\da-f]{8}-[\da-f]{4}-[78][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i

/** The time (UTC epoch ms) in front of a version 7 or 8 UUID; undefined for any other id and for times nobody would mean. */
export function timeOfEventId(id: string): number | undefined {
  if (!timed.test(id)) return undefined
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return isPlausibleTime(time) ? time : undefined
}

/** The 48 bits of a time in a UUID's notation. A time out of their range is moved to its edge: an id is always given. */
function timePrefix(time: number): string {
  const ms = Math.min(Math.max(Math.trunc(time) || 0, 0), 2 ** 48 - 1)
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
