/** What the order of events depends on. */
export interface Caused {
  readonly eventId: string
  /** Id of the event that caused it; it may not be among the events. */
  readonly causationId: string | null
  readonly happenedAt: string | null
}

/**
 * Sorts events so that each stands behind its cause, whatever the clocks of their producers say; otherwise by the time
 * at which they happened.
 */
export function inCausalOrder<E extends Caused>(events: readonly E[]): E[] {
  const byTime = events.toSorted(
    (a, b) => (a.happenedAt ?? '').localeCompare(b.happenedAt ?? '') || a.eventId.localeCompare(b.eventId),
  )
  const byId = new Map(byTime.map((event) => [event.eventId, event]))
  const placed = new Set<E>()
  const visiting = new Set<E>()
  const sorted: E[] = []
  const place = (event: E): void => {
    if (placed.has(event) || visiting.has(event)) return // A circle of causes would be a lie: time decides
    visiting.add(event)
    const cause = event.causationId === null ? undefined : byId.get(event.causationId)
    if (cause) place(cause)
    placed.add(event)
    sorted.push(event)
  }
  for (const event of byTime) place(event)
  return sorted
}
