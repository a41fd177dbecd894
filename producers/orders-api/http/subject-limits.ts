import type { Caller } from './caller.ts'

/** How many seconds' worth of requests a subject may send at once. */
const burstS = 10
/** Event streams that a subject may have open. */
const maxStreams = 10
/** Subjects that are remembered; those that were quiet the longest are forgotten, with a full allowance. */
const maxSubjects = 10_000

interface Allowance {
  requests: number
  at: number
}

/**
 * Limits of each subject that may use its own orders only, so that one customer cannot use up the service of all. They count
 * per process. Callers that may use the orders of all are not limited: they stand for many customers.
 */
export class SubjectLimits {
  private readonly rate: number
  private readonly now: () => number
  private readonly allowances = new Map<string, Allowance>()
  private readonly streams = new Map<string, number>()

  /** @param rate requests per second @param now ms, monotonic */
  constructor(rate: number, now: () => number = () => performance.now()) {
    this.rate = rate
    this.now = now
  }

  /** Counts a request. @returns seconds to wait if it is one too many */
  exceededBy(caller: Caller): number | undefined {
    const { subject } = caller
    if (subject === undefined || caller.may('orders:any')) return undefined
    const now = this.now()
    const full = this.rate * burstS
    const { requests, at } = this.allowances.get(subject) ?? { requests: full, at: now }
    const left = Math.min(full, requests + ((now - at) / 1_000) * this.rate)
    this.allowances.delete(subject) // Last in order: the first one is the quietest
    this.allowances.set(subject, { requests: Math.max(0, left - 1), at: now })
    const [quietest] = this.allowances.keys()
    if (this.allowances.size > maxSubjects && quietest !== undefined) this.allowances.delete(quietest)
    return left < 1 ? Math.ceil((1 - left) / this.rate) : undefined
  }

  /** Opens a stream. @returns a function that closes it; undefined if the subject has too many */
  openStream(caller: Caller): (() => void) | undefined {
    const { subject } = caller
    if (subject === undefined || caller.may('orders:any')) return () => {}
    const open = this.streams.get(subject) ?? 0
    if (open >= maxStreams) return undefined
    this.streams.set(subject, open + 1)
    return () => {
      const left = (this.streams.get(subject) ?? 1) - 1
      if (left > 0) this.streams.set(subject, left)
      else this.streams.delete(subject)
    }
  }
}
