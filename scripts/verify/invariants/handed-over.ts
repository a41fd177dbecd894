import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** A queue to which a forwarder handed events, and the events that it was to hand over. */
export interface HandedOver {
  /** The forwarder's group. */
  readonly group: string
  /** How often each event came out of the queue, by its id in lower case. */
  readonly drained: ReadonlyMap<string, number>
  /** Where each event of the forwarder's types is, `orders/3 offset 17`, by its id in lower case. */
  readonly events: ReadonlyMap<string, string>
  /** Events of its types without an id: the forwarder gives each one of its own. */
  readonly unnamed: number
}

/** Each event that a forwarder was to hand over came out of the queue, and nothing else did. Repeats are allowed. */
export const handedOver = ({ group, drained, events, unnamed }: HandedOver, { groups }: Evidence): Finding =>
  judge('handed-over', `the queue of ${group} has every event, and no other`, (report) => {
    const kept = keptBack(groups.find((each) => each.group.name === group)?.account)
    let missing = 0
    for (const [id, place] of events) {
      if (drained.has(id)) continue
      const cause = kept(place)
      if (cause === undefined) missing++
      report(`${id} (${place}) did not come out of the queue${cause ? `: it is ${cause}` : ''}`, cause !== undefined)
    }
    const unknown = [...drained.keys()].filter((id) => !events.has(id))
    for (const [index, id] of unknown.entries())
      report(`${id} came out of the queue and is on no topic`, index < unnamed)
    if (unknown.length < unnamed) {
      missing += unnamed - unknown.length
      report(`${unnamed - unknown.length} events without an id did not come out of the queue`)
    }
    const repeats = [...drained.values()].reduce((sum, times) => sum + times - 1, 0)
    return `${count(drained.size)} events came out, ${count(repeats)} repeats, ${count(missing)} missing`
  })

/** Why an event was not handed over: what became of it in the forwarder. */
function keptBack(account: Evidence['groups'][number]['account'] | undefined): (place: string) => string | undefined {
  const parked = new Set(account?.parked.map(({ place }) => place))
  const dropped = new Set(account?.dropped.map(({ place }) => place))
  return (place) => {
    if (parked.has(place)) return 'parked'
    if (dropped.has(place)) return 'dropped by an operator'
    const [partition, offset] = place.split(' offset ')
    const skipped = account?.skipped.some(
      ({ topic, partition: number, from, to }) =>
        `${topic}/${number}` === partition && Number(offset) >= from && Number(offset) < to,
    )
    return skipped ? 'skipped by an operator' : undefined
  }
}
