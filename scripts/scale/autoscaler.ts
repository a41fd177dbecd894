/** How eagerly replicas are changed. Times in milliseconds. */
export interface Policy {
  /** So many looks in a row must want more replicas before there are more. */
  readonly upAfterLooks: number
  /** For so long no look may have wanted as many as there are before there are fewer. */
  readonly calmMs: number
  /** After a change nothing is concluded for so long: a rebalance itself makes events wait. */
  readonly coolDownMs: number
}

/** One look at one consumer. */
export interface Look {
  /** On a clock that does not jump, milliseconds. */
  readonly at: number
  readonly replicas: number
  readonly needed: number
}

/** What is remembered of the looks before. */
export interface Memory {
  /** Of the last look; another number now means that somebody changed it. */
  readonly replicas: number
  readonly looksWantingMore: number
  /** Since when fewer would have done, and how many at most. */
  readonly calm: { readonly since: number; readonly most: number } | undefined
  readonly changedAt: number
  /** When the step down was that was the last change; undefined if that was a step up. */
  readonly loweredAt: number | undefined
  /** How many steps down were taken back soon, without one that held since: each doubles the calm the next one needs. */
  readonly regrets: number
}

export type Decision =
  | { readonly action: 'keep'; readonly why: string }
  | { readonly action: 'change'; readonly to: number; readonly why: string }

/** The calm does not get longer than with so many regrets. */
const mostRegrets = 5
/** A step down that had to be taken back within so many calms was a mistake. */
const regretWithinCalms = 4

export const firstMemory = ({ replicas }: Look): Memory => ({
  ...{ replicas, looksWantingMore: 0, calm: undefined, regrets: 0 },
  ...{ changedAt: Number.NEGATIVE_INFINITY, loweredAt: undefined },
})

/**
 * Decides after a look whether a consumer gets more replicas or fewer. Up soon and at most to twice as many, down late and
 * to what the calm needed at its worst; a step down that proves wrong makes the next one later. A function of its arguments.
 */
export function decide(before: Memory | undefined, look: Look, policy: Policy): [Memory, Decision] {
  const { at, replicas, needed } = look
  const memory = before ?? firstMemory(look)
  if (memory.replicas !== replicas)
    return [restarted({ ...memory, replicas, changedAt: at }), keep('somebody else changed the number of replicas')]
  const coolMs = memory.changedAt + policy.coolDownMs - at
  if (coolMs > 0) return [restarted(memory), keep(`cooling down for another ${seconds(coolMs)}`)]
  if (needed > replicas) return more(memory, look, policy)
  if (needed < replicas) return fewer(memory, look, policy)
  return [restarted(memory), keep('as many as needed')]
}

function more(memory: Memory, { at, replicas, needed }: Look, policy: Policy): [Memory, Decision] {
  const looksWantingMore = memory.looksWantingMore + 1
  if (looksWantingMore < policy.upAfterLooks) {
    const why = `${needed} wanted by ${looksWantingMore} of ${policy.upAfterLooks} looks`
    return [{ ...memory, looksWantingMore, calm: undefined }, keep(why)]
  }
  const to = Math.min(needed, Math.max(1, 2 * replicas))
  const changed = {
    ...memory,
    replicas: to,
    changedAt: at,
    regrets: regretsAt(memory, at, policy),
    loweredAt: undefined,
  }
  return [restarted(changed), { action: 'change', to, why: `${needed} wanted by ${looksWantingMore} looks in a row` }]
}

/** A step up right after a step down takes it back; one that comes late shows that the step down was right for its time. */
function regretsAt(memory: Memory, at: number, policy: Policy): number {
  if (memory.loweredAt === undefined) return memory.regrets
  const held = at - memory.loweredAt >= regretWithinCalms * calmMs(memory, policy)
  return held ? 0 : Math.min(mostRegrets, memory.regrets + 1)
}

function fewer(memory: Memory, { at, needed }: Look, policy: Policy): [Memory, Decision] {
  const calm = { since: memory.calm?.since ?? at, most: Math.max(needed, memory.calm?.most ?? needed) }
  const waited = at - calm.since
  const patience = calmMs(memory, policy)
  if (waited < patience) {
    const why = `${calm.most} would have done for ${seconds(waited)}, of ${seconds(patience)} to be waited`
    return [{ ...memory, looksWantingMore: 0, calm }, keep(why)]
  }
  const changed = { ...memory, replicas: calm.most, changedAt: at, loweredAt: at }
  const why = `${calm.most} would have done for ${seconds(waited)}`
  return [restarted(changed), { action: 'change', to: calm.most, why }]
}

/**
 * After a change that was decided but could not be made.
 * @param at when it was given up: the next one is tried after a cool-down
 */
export const notChanged = (memory: Memory, replicas: number, at: number): Memory =>
  restarted({ ...memory, replicas, changedAt: at })

/** After a change, which took a while: the cool-down begins with its end. */
export const changed = (memory: Memory, at: number): Memory => ({ ...memory, changedAt: at })

const restarted = (memory: Memory): Memory => ({ ...memory, looksWantingMore: 0, calm: undefined })
const calmMs = ({ regrets }: Memory, policy: Policy): number => policy.calmMs * 2 ** regrets
const keep = (why: string): Decision => ({ action: 'keep', why })
const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`
