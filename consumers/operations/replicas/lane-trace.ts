import type { LaneProgress } from './lane-progress.ts'

/** How one lane came through a change of replicas. */
export interface Passage {
  readonly lane: number
  /** Null where it had none. */
  readonly from: string | null
  readonly to: string | null
  /** How often it was claimed meanwhile. */
  readonly claims: number
  /**
   * Its longest time without a commit, milliseconds, as far as a look every few of them can tell: across a claim if there
   * was one. Ends with the claim where the new owner had nothing to take.
   */
  readonly standstillMs: number
  /** Whether it took anything after its last claim: without that, the figure says little. */
  readonly busy: boolean
}

/** What is seen of one lane, look after look. */
export class LaneTrace {
  readonly #first: LaneProgress
  #last: LaneProgress
  /** When its last commit was seen, or watching began. */
  #movedAt: number
  /** When it was first seen claimed in its epoch; undefined while it is not. */
  #claimedAt: number | undefined
  /** It was given up or taken over since its last commit. */
  #inHandover = false
  #claims = 0
  #busy = false
  #longestMs = { handover: 0, rest: 0 }

  constructor(progress: LaneProgress, at: number) {
    this.#first = this.#last = progress
    this.#movedAt = at
    this.#claimedAt = progress.claimed ? at : undefined
  }

  get last(): LaneProgress {
    return this.#last
  }

  /** Whether it has gone on, as far as one can see, since it was claimed last. */
  get goesOn(): boolean {
    return this.#claimedAt !== undefined && (this.#claims === 0 || this.#busy)
  }

  see(progress: LaneProgress, at: number): void {
    if (progress.epoch !== this.#last.epoch) {
      this.#claims += progress.epoch - this.#last.epoch
      this.#inHandover = true
      this.#claimedAt = undefined
      this.#busy = false
    }
    if (progress.claimed) this.#claimedAt ??= at
    if (progress.reached !== this.#last.reached) {
      const kind = this.#inHandover ? 'handover' : 'rest'
      this.#longestMs[kind] = Math.max(this.#longestMs[kind], at - this.#movedAt)
      this.#movedAt = at
      this.#inHandover = false
      this.#busy = true
    }
    this.#last = progress
  }

  passage(): Passage {
    const { lane, owner } = this.#last
    const idleMs = this.#inHandover ? Math.max(0, (this.#claimedAt ?? this.#movedAt) - this.#movedAt) : 0
    const handoverMs = Math.max(this.#longestMs.handover, idleMs)
    return {
      lane,
      from: this.#first.owner,
      to: owner,
      claims: this.#claims,
      standstillMs: Math.round(this.#claims > 0 ? handoverMs : this.#longestMs.rest),
      busy: this.#busy,
    }
  }
}
