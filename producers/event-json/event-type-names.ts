import type { EventType } from '../../schemas/generated/events.ts'
import { eventTypes } from '../../schemas/topics.ts'

export const isEventType = (name: unknown): name is EventType => eventTypes.includes(name as EventType)

/** A sentence that lists the event types and suggests the nearest one. */
export function unknownType(type: unknown): string {
  const name = String(type)
  const [nearest] = eventTypes.toSorted((a, b) => distance(name, a) - distance(name, b))
  const hint = nearest && distance(name, nearest) <= name.length / 2 ? ` Did you mean ${nearest}?` : ''
  return `There is no event type ${name}.${hint} There are ${eventTypes.join(', ')}`
}

/** Letters to change, add or remove (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a.charAt(i).toLowerCase() === b.charAt(j).toLowerCase() ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
