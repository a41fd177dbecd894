import type { Batch, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { GroupClient } from './group-client.ts'
import { LaneFetching } from './lane-fetching.ts'
import type { FetchProgress, MemberLane, MembershipOptions } from './membership-options.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { Position } from './offset-commits.ts'
import { settlesWithin } from '../../../infra/promises.ts'

/**
 * How long a fetched batch waits for its lane's claim. Then fetching for the lane pauses, so as not to delay other
 * lanes.
 */
const claimPatienceMs = 30
/**
 * How long one lane's work may delay fetching for all lanes. The limit also keeps heartbeats going if the database
 * hangs.
 */
const processPatienceMs = 1_000
/** How long a leaving replica waits for work in progress, so that one hanging lane does not delay the others. */
const drainPatienceMs = 2_000
const signEveryMs = 100
const commitEveryMs = 1_000

/**
 * This process's membership in its consumer group: which lanes it holds and where reading resumes. The group only
 * assigns lanes; PostgreSQL decides who owns a lane and what its position is.
 */
export class Membership<L extends MemberLane> {
  readonly lanes = new Map<number, L>()
  private readonly options: MembershipOptions<L>
  private readonly client: GroupClient
  private readonly fetching: LaneFetching
  private readonly commits: OffsetCommits
  private readonly timers: NodeJS.Timeout[] = []
  private lastHeartbeat = 0
  private leaving = false
  private readonly gone = Promise.withResolvers<void>()
  /** Whether the group is rebalancing and waits for this member: work in progress must end soon. */
  private recalled = false

  constructor(options: MembershipOptions<L>) {
    this.options = options
    const { kafka, groupId, namespace, partitions, sessionTimeoutMs, log } = options
    this.client = new GroupClient({
      ...{ kafka, groupId, partitions, sessionTimeoutMs, log },
      topics: options.topics.map((topic) => `${namespace}${topic}`),
      held: () => this.held(),
      joined: (payload) => this.joined(payload),
      confirmed: () => this.confirmed(),
      eachBatch: (payload) => this.eachBatch(payload),
      passedOver: (topic, ...where) => options.passedOver(topic.slice(namespace.length), ...where),
      unheard: (reason) => this.lanes.forEach((lane) => lane.unheard(reason)),
    })
    const consumer = () => this.client.consumer
    this.fetching = new LaneFetching({ ...options, consumer })
    this.commits = new OffsetCommits(consumer, options.log)
  }

  /** Why the group may have given this member's lanes away; undefined while heartbeats are answered. */
  get silence(): string | undefined {
    return this.client.silence
  }

  async start(): Promise<void> {
    await this.client.start()
    this.timers.push(setInterval(() => void this.commits.commit(this.positions()), commitEveryMs))
  }

  /** Releases the lanes, then leaves the group. Call after `quiesce`, when the lanes' events are published. */
  async leave(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer)
    const committed = this.commits.commit(this.positions())
    // Before the other members know: an orderly release clears the count of starts, which the next owner's guard reads
    const dropped = [...this.lanes.values()].map((lane) => lane.drop())
    this.lanes.clear()
    await settlesWithin(Promise.all([committed, ...dropped]), 1_000)
    const left = this.client.leave()
    this.gone.resolve()
    await left
  }

  /**
   * Stops processing batches and claiming lanes; resolves when the work in progress has ended, or after a time limit.
   */
  async quiesce(): Promise<void> {
    this.leaving = true
    await settlesWithin(Promise.all([...this.lanes.values()].map((lane) => lane.idle())), drainPatienceMs)
  }

  /** Resumes fetching for a live lane, from its positions in the ledger. */
  readOn(number: number): void {
    const lane = this.lanes.get(number)
    if (!lane || this.leaving) return
    for (const topic of this.options.topics) this.seek(lane, topic)
    this.fetching.resume(number)
  }

  /** Call when another member may be about to join or leave. */
  attend(): void {
    this.client.attend()
  }

  /** Stops fetching for the lane until `readOn`. */
  pauseFetching(number: number): void {
    this.fetching.pause(number)
  }

  /** Fetches a topic (without namespace) from the lane's position. */
  private seek(lane: L, topic: string): void {
    const position = lane.position(topic)
    if (position !== undefined) this.fetching.seek(topic, lane.number, position)
  }

  /** Lanes to keep, by number, with their epochs; sent to the group's leader. Undefined if this member is leaving. */
  private held(): Map<number, number> | undefined {
    if (this.leaving) return undefined
    return new Map(
      [...this.lanes].filter(([, lane]) => lane.phase === 'live').map(([number, lane]) => [number, lane.epoch]),
    )
  }

  /** Runs inside the join, before the first fetch of the generation. */
  private joined(payload: ConsumerGroupJoinEvent['payload']): void {
    this.recalled = false
    this.options.joining()
    const assigned = new Set(Object.values(payload.memberAssignment).flat())
    const moved = { kept: 0, gained: 0, lost: 0 }
    for (const [number, lane] of this.lanes) {
      if (assigned.has(number)) continue
      moved.lost++
      void lane.drop()
      this.lanes.delete(number)
    }
    for (const number of this.leaving ? [] : assigned) {
      const lane = this.lanes.get(number)
      if (lane && (lane.phase === 'live' || lane.phase === 'claiming')) {
        moved.kept++
        if (lane.accepting) this.readOn(number)
        continue
      }
      moved.gained++
      this.claim(number)
    }
    this.options.log.info({ ...moved, lanes: [...assigned].sort((a, b) => a - b) }, 'joined the group')
  }

  private claim(number: number): void {
    void this.lanes.get(number)?.drop()
    this.fetching.resume(number)
    this.lanes.set(number, this.options.claim(number))
  }

  /**
   * Called after each answered heartbeat. The lanes assigned to this member were ours when the heartbeat was sent,
   * which was after the answer to the previous one. A lane fenced before that was not fenced by its rightful owner, so
   * it is claimed again.
   */
  private confirmed(): void {
    const sentAfter = this.lastHeartbeat
    this.lastHeartbeat = performance.now()
    this.recalled = false
    for (const [number, lane] of this.lanes) {
      if (lane.phase === 'fenced' && lane.fencedAt < sentAfter) this.claim(number)
    }
  }

  private async eachBatch({ batch, heartbeat, resolveOffset, isRunning, isStale }: EachBatchPayload): Promise<void> {
    const lane = this.lanes.get(batch.partition)
    if (this.leaving) return this.untilGone(heartbeat)
    if (!lane) return
    const sign = () =>
      heartbeat().catch((error: unknown) => {
        this.recalled = true
        throw error
      })
    await sign()
    await settlesWithin(lane.claimed, claimPatienceMs)
    const ours = () => this.lanes.get(batch.partition) === lane && !this.leaving
    if (!ours()) return
    if (!lane.accepting) return this.pauseFetching(batch.partition)
    let patient = true
    const work = this.process(lane, batch, {
      wanted: () => patient && !this.leaving && !this.recalled && isRunning() && !isStale(),
      reached: async (offset) => {
        if (!patient) return
        resolveOffset(String(offset))
        await sign()
      },
    })
    patient = await settlesWithin(work, processPatienceMs)
    if (patient && ours() && !this.recalled) await this.options.rest?.()
    if (patient || !ours()) return
    // The lane continues in the background. When it is done, fetching resumes from its position at that time
    this.pauseFetching(batch.partition)
    const readOn = () => {
      if (ours() && lane.accepting) this.readOn(batch.partition)
    }
    work.then(readOn, readOn)
  }

  private async process(lane: L, batch: Batch, progress: FetchProgress): Promise<void> {
    const { fetched, namespace } = this.options
    if ((await fetched.process(lane, batch, progress)) === 'gap') this.seek(lane, batch.topic.slice(namespace.length))
  }

  /** Holds a fetched batch while this member leaves: with only paused lanes, an idle client would leave 0.1 s later. */
  private async untilGone(heartbeat: () => Promise<void>): Promise<void> {
    while (!(await settlesWithin(this.gone.promise, signEveryMs))) await heartbeat()
  }

  private positions(): Position[] {
    return [...this.lanes.values()].flatMap((lane) =>
      this.options.topics.flatMap((topic) => {
        const offset = lane.position(topic)
        return offset === undefined ? [] : [{ topic: this.fetching.onBroker(topic), partition: lane.number, offset }]
      }),
    )
  }
}
