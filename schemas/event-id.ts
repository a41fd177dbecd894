import { createHash, randomUUID } from 'node:crypto'
import { isPlausibleTime } from './time.ts'

/** A new random id that sorts by time: UUID version 7. `time` is UTC epoch ms. */
export const newEventId = (time: number = Date.now()): string => `${timePrefix(time)}-7${randomUUID().slice(15)}`

export interface Derivation {
  /** Time of the event that started the chain, UTC epoch ms: all ids of a chain begin with it, so they are stored together. */
  chainTime: number
  group: string
  /** Id of the event being handled. */
  causeId: string
  type: string
  /** Number of this event among those of its type that the handler emits for the cause, from 0. */
  ordinal: number
  /** Number of the replay that corrects the first result: downstream readers treat the event as new. */
  correctedBy?: number
}

/**
 * The id of an event that a handler emits: UUID version 8 of the chain's time and a hash of the event's identity. Handling
 * the cause again emits the same ids, so that every reader downstream recognizes the duplicate.
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

/** The time (UTC epoch ms) of a version 7 or 8 UUID; undefined for any other id and for implausible times. */
export function timeOfEventId(id: string): number | undefined {
  if (!timed.test(id)) return undefined
  const time = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return isPlausibleTime(time) ? time : undefined
}

/** The 48 bits of a time in the notation of a UUID. A time out of range is clamped, so that there is always an id. */
function timePrefix(time: number): string {
  const ms = Math.min(Math.max(Math.trunc(time) || 0, 0), 2 ** 48 - 1)
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}
