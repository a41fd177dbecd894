import type { GroupAccount } from '../../../consumers/operations/group-account.ts'
import type { Group } from '../../../consumers/operations/groups.ts'
import { laneOf } from '../../../schemas/partition.ts'
import type { TopicHistory } from '../topic-history.ts'
import type { LossyRebuild } from './lossy-rebuilds.ts'

/** What the topics no longer tell: what operators accepted as lost, and what retention deleted after every group had it. */
export interface Losses {
  /** Why records of a partition (`orders/3`) are gone, in words. */
  causeAt(place: string): string | undefined
  /** Why a lane of any topic lacks a number of an outbox. @param oldest whether the topics hold none before it */
  causeIn(lane: number, oldest: boolean): string | undefined
  /** The same for a key that may have had records among the lost ones. */
  causeOf(key: string): string | undefined
  /** The act that left rows of a key out of a service's tables. */
  rebuiltWithout(service: string, key: string): string | undefined
  /** The most records that these topics may have lost, read or unread; Infinity if that is unknown. */
  goneFrom(topics: ReadonlySet<string>): number
}

interface Loss {
  readonly topic: string
  readonly partition: number
  readonly at: number
  readonly unknown: boolean
  readonly act: string
  /** Only the oldest records are gone. */
  readonly byAge?: true
}

/**
 * A loss concerns every key of its lane except orders that were placed after it: which keys the lost records had, nobody
 * knows. The time of an accepted loss is the database's, that of an order its record's. What retention deleted is older
 * than the first record that is left.
 */
export function createLosses(
  groups: readonly { group: Group; account: GroupAccount }[],
  { ranges, begun, fold }: Pick<TopicHistory, 'ranges' | 'begun' | 'fold'>,
  rebuilds: readonly LossyRebuild[] = [],
): Losses {
  const accepted = groups.flatMap(({ group, account }) =>
    account.skipped.flatMap(({ topic, partition, from, to, cause, resumeAt, actor, why, at }): Loss[] => {
      if (cause === undefined) return []
      const what = resumeAt === undefined ? `offsets ${from} to ${to - 1}` : `what followed offset ${from}`
      const act = `${actor} accepted the loss of ${topic}/${partition} ${what} in ${group.name} (${why})`
      return [{ topic, partition, at: at.getTime(), unknown: resumeAt !== undefined, act }]
    }),
  )
  const losses = [...accepted, ...deletedByAge(groups, { ranges, begun })]
  const told = (those: readonly { act: string }[]) =>
    those.length === 0 ? undefined : [...new Set(those.map(({ act }) => act))].join('; ')
  const placedAfter = (key: string, at: number) =>
    fold.orders.get(key)?.placed.some(({ recordedAt = 0 }) => recordedAt > at) ?? false
  return {
    causeAt: (place) => told(losses.filter(({ topic, partition }) => `${topic}/${partition}` === place)),
    causeIn: (lane, oldest) => told(losses.filter(({ partition, byAge }) => partition === lane && (oldest || !byAge))),
    causeOf(key) {
      if (losses.length === 0) return undefined
      return told(
        losses.filter(
          ({ topic, partition, at }) =>
            laneOf(key, ranges.get(topic)?.length ?? 1) === partition && !placedAfter(key, at),
        ),
      )
    },
    rebuiltWithout: (service, key) =>
      told(rebuilds.filter(({ group, at }) => group === service && !placedAfter(key, at))),
    goneFrom(topics) {
      const places = new Map<string, number>()
      for (const { topic, partition, unknown } of losses)
        if (topics.has(topic)) {
          const place = `${topic}/${partition}`
          const low = ranges.get(topic)?.[partition]?.low ?? 0
          places.set(place, unknown ? Infinity : Math.max(places.get(place) ?? 0, low))
        }
      return [...places.values()].reduce((sum, n) => sum + n, 0)
    },
  }
}

/**
 * Records that Kafka no longer has, where every group stands behind them. What a group has not read is none of these: it stays a
 * fault until an operator accepts it.
 */
const deletedByAge = (
  groups: readonly { group: Group; account: GroupAccount }[],
  { ranges, begun }: Pick<TopicHistory, 'ranges' | 'begun'>,
): Loss[] =>
  [...ranges].flatMap(([topic, partitions]) =>
    partitions.flatMap(({ low }, partition): Loss[] => {
      const place = `${topic}/${partition}`
      const reached = groups
        .filter(({ group }) => group.topics.has(topic))
        .map(({ account }) => Math.max(0, ...(account.ledger.get(place) ?? []).map(({ next }) => next)))
      if (low === 0 || reached.some((position) => position < low)) return []
      const act = `Kafka has deleted ${place} offsets 0 to ${low - 1}, which every consumer had passed`
      return [{ topic, partition, at: begun.get(place) ?? -Infinity, unknown: false, act, byAge: true }]
    }),
  )
