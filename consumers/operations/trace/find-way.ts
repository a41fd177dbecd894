import { derivedEventId, timeOfEventId } from '../../../schemas/event-id.ts'

/** Calls and timers between an event and what it caused, first to last: `['call authorize']`; empty if there are none. */
export type Way = readonly string[]

export interface Emitted {
  readonly id: string
  readonly type: string
  readonly group: string
}

export interface CausingEvent {
  readonly id: string
  readonly time: number
}

/** A handler rarely emits more events of one type for one cause. */
const ordinals = [0, 1, 2, 3]
const longest = 3

/**
 * Finds the calls and timers that led from an event to another: ids derive from causes, so each way gives another id.
 * @param intents of the group: `call:authorize`, `timer:expire`
 * @returns undefined if the event does not derive from the cause: it was made by hand, or corrects another
 */
export function findWay(cause: CausingEvent, emitted: Emitted, intents: readonly string[]): Way | undefined {
  const chainTime = timeOfEventId(cause.id) ?? cause.time
  const { group } = emitted
  let ways: { causeId: string; way: Way }[] = [{ causeId: cause.id, way: [] }]
  for (let steps = 0; steps <= longest; steps++) {
    for (const { causeId, way } of ways)
      for (const ordinal of ordinals)
        if (derivedEventId({ chainTime, group, causeId, type: emitted.type, ordinal }) === emitted.id) return way
    ways = ways.flatMap(({ causeId, way }) =>
      intents.map((intent) => ({
        causeId: derivedEventId({ chainTime, group, causeId, type: intent, ordinal: 0 }),
        way: [...way, intent.replace(':', ' ')],
      })),
    )
  }
  return undefined
}
