import type { OutboxLane } from '../../producers/outbox/outbox-backlog.ts'

/**
 * The events published from each outbox lane according to the topics, by number (`ce_sourcelane`, `ce_sequence`). Rows leave
 * an outbox once they are published, so only the topics tell whether one was lost, published out of order or with other content.
 */
export interface Publications {
  /** Lanes by name, `payment/3`. */
  readonly lanes: ReadonlyMap<string, LanePublications>
  /** Adds a record. Call it in the order of the partition. `place` is topic and partition. */
  take(record: { lane: string; sequence: number; eventId: string; place: string }): void
}

export interface LanePublications {
  /** Event id by number. */
  readonly eventIds: Map<number, string>
  /** Records that repeat an earlier one: harmless, because consumers know the id. */
  repeats: number
  readonly faults: string[]
}

export function createPublications(): Publications {
  const lanes = new Map<string, LanePublications>()
  const highest = new Map<string, number>()
  const laneOf = (name: string) => {
    const lane: LanePublications = lanes.get(name) ?? { eventIds: new Map(), repeats: 0, faults: [] }
    lanes.set(name, lane)
    return lane
  }
  return {
    lanes,
    take({ lane: name, sequence, eventId, place }) {
      const lane = laneOf(name)
      const known = lane.eventIds.get(sequence)
      if (known === eventId) lane.repeats++
      else if (known !== undefined) lane.faults.push(`${name} number ${sequence} is both ${known} and ${eventId}`)
      else {
        lane.eventIds.set(sequence, eventId)
        const before = highest.get(`${name} ${place}`) ?? 0
        if (sequence < before) lane.faults.push(`${name} number ${sequence} comes after ${before} on ${place}`)
        highest.set(`${name} ${place}`, Math.max(before, sequence))
      }
    },
  }
}

/**
 * Differences between the numbers that a lane assigned and those it published; empty if there are none.
 * @param onGap called for a number that is nowhere instead of returning it; `oldest` if none before it was published
 */
export function compareLane(
  name: string,
  { nextSeq, waiting, withdrawn = [] }: OutboxLane,
  published?: LanePublications,
  onGap?: (fault: string, oldest: boolean) => void,
): string[] {
  const { eventIds = new Map<number, string>(), faults = [] } = published ?? {}
  const found = [...faults]
  let oldest = true
  for (let sequence = 1; sequence < nextSeq; sequence++) {
    const eventId = eventIds.get(sequence)
    const row = waiting.get(sequence)
    if (eventId) oldest = false
    if (!eventId && !row && !withdrawn.some(({ first, next }) => sequence >= first && sequence < next)) {
      const gap = `${name} number ${sequence} is neither published nor in the outbox`
      if (onGap) onGap(gap, oldest)
      else found.push(gap)
    }
    if (eventId && row && eventId !== row)
      found.push(`${name} number ${sequence} is published as ${eventId}, in the outbox as ${row}`)
  }
  for (const sequence of eventIds.keys()) {
    const given = sequence >= 1 && sequence < nextSeq
    if (!given) found.push(`${name} number ${sequence} was published but never assigned (the next is ${nextSeq})`)
  }
  return found
}
