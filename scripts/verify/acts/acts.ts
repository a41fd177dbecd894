import type { EventType } from '../../../schemas/generated/events.ts'
import type { HandDecision } from '../../../consumers/runtime/tables/audit.ts'
import type { GroupAccount } from '../../../consumers/operations/group-account.ts'
import type { Group } from '../../../consumers/operations/groups.ts'

/** A record's place; topic without namespace. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What operators decided about one record. */
export interface DecidedRecord {
  /** The bytes they gave it instead of its own. */
  readonly value?: Buffer
  /** Every consumer that would process it dropped or skipped it: it takes no effect. */
  readonly without: boolean
  /** Every consumer that would process it skipped it, so none knows its id. */
  readonly skipped: boolean
  /** The acts, in words. */
  readonly causes: readonly string[]
}

/** The acts of operators on single events: edits, drops and skips. */
export interface Acts {
  /** The bytes of all edits. */
  readonly values: readonly Buffer[]
  /** What was decided about a record of this type; undefined if nothing was. */
  at(place: Place, type: EventType | undefined): DecidedRecord | undefined
  /** Notes that a decided record concerns a key. */
  concern(key: string, decided: DecidedRecord): void
  causeOf(key: string): string | undefined
}

type ByGroup = Map<string, HandDecision>

const verbs = { DROPPED: 'dropped', EDITED: 'edited' }

export function createActs(groups: readonly { group: Group; account: GroupAccount }[]): Acts {
  const decisions = new Map<string, ByGroup>()
  const causes = new Map<string, Set<string>>()
  const note = (key: string, sentences: Iterable<string>) => {
    const of = causes.get(key) ?? new Set()
    for (const sentence of sentences) of.add(sentence)
    causes.set(key, of)
  }
  for (const { group, account } of groups) {
    for (const decision of account.decisions) {
      const { record, key, action, actor, why } = decision
      if (record === null)
        note(key, [sentence(`${actor} ${verbs[action]} an answer or timer of ${key}`, [group.name], why)])
      else decisions.set(record, (decisions.get(record) ?? new Map<string, HandDecision>()).set(group.name, decision))
    }
  }
  for (const byGroup of decisions.values()) for (const { key } of byGroup.values()) note(key, ofDecisions(byGroup))
  const skips = groups.flatMap(({ group, account }) => account.skipped.map((skip) => ({ group: group.name, ...skip })))

  return {
    values: [...decisions.values()].flatMap((byGroup) => [...byGroup.values()].flatMap(({ after }) => after ?? [])),
    at({ topic, partition, offset }, type) {
      const byGroup: ByGroup = decisions.get(`${topic}/${partition}/${offset}`) ?? new Map()
      const over = skips.filter(
        (skip) => skip.topic === topic && skip.partition === partition && skip.from <= offset && offset < skip.to,
      )
      if (byGroup.size === 0 && over.length === 0) return undefined
      const skippers = new Set(over.map(({ group }) => group))
      const readers = groups
        .filter(({ group }) => group.topics.has(topic) && (type === undefined || group.handles.has(type)))
        .map(({ group }) => group.name)
      const edit = [...byGroup.values()].find(({ action, after }) => action === 'EDITED' && after)
      return {
        value: edit?.after ?? undefined,
        without: readers.every((name) => skippers.has(name) || byGroup.get(name)?.action === 'DROPPED'),
        skipped: readers.every((name) => skippers.has(name)),
        causes: [...ofDecisions(byGroup), ...ofSkips(over)],
      }
    },
    concern: (key, decided) => note(key, decided.causes),
    causeOf: (key) => {
      const of = causes.get(key)
      return of && [...of].join('; ')
    },
  }
}

/** `ada dropped orders/3 offset 12 in payment, shipping (a test)` */
function ofDecisions(byGroup: ByGroup): string[] {
  const alike = Map.groupBy(byGroup, ([, { action, actor, why }]) => `${actor} ${verbs[action]} |${why ?? ''}`)
  return [...alike.values()].map((each) => {
    const [, { action, actor, record, why }] = each[0]!
    const place = String(record).replace(/\/(\d+)$/, ' offset $1')
    return sentence(
      `${actor} ${verbs[action]} ${place}`,
      each.map(([name]) => name),
      why,
    )
  })
}

interface Skip {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly actor: string
  readonly why: string
}

function ofSkips(skips: readonly Skip[]): string[] {
  const alike = Map.groupBy(skips, ({ actor, from, to, why }) => `${actor} ${from} ${to} ${why}`)
  return [...alike.values()].map((each) => {
    const { actor, topic, partition, from, to, why } = each[0]!
    return sentence(
      `${actor} skipped ${topic}/${partition} offsets ${from} to ${to - 1}`,
      each.map(({ group }) => group),
      why,
    )
  })
}

const sentence = (act: string, groups: readonly string[], why: string | null) =>
  `${act} in ${groups.toSorted().join(', ')}${why ? ` (${why})` : ''}`
