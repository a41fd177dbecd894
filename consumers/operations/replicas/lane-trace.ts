import type { LaneProgress } from './lane-progress.ts'

/** The course of a change of replicas for one lane. */
export interface Passage {
  readonly lane: number
  /** Owner before the change; null if it had none. */
  readonly from: string | null
  readonly to: string | null
  /** Number of claims during the change. */
  readonly claims: number
  /**
   * Its longest time without a commit, milliseconds, to the precision of the polling interval. If it was claimed, only
   * times that include a claim count; such a time ends with the claim if the new owner had nothing to process.
   */
  readonly standstillMs: number
  /** Whether it processed anything after its last claim; otherwise the time says little. */
  readonly busy: boolean
}

/** Follows one lane from poll to poll. */
export class LaneTrace {
  readonly #first: LaneProgress
  #last: LaneProgress
  /** When its last commit was seen; initially, when watching began. */
  #movedAt: number
  /** When it was first seen claimed in its epoch; undefined while it is not. */
  #claimedAt: number | undefined
  /** Whether it was released or taken over since its last commit. */
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

  /** Whether it appears to have resumed since its last claim. */
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
