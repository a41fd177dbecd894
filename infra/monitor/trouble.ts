import { describeError } from '../errors.ts'

/** Failures that last this long are reported; shorter ones are ordinary (a broker moves, a connection breaks). */
const reportAfterMs = 5_000
/** Attempts follow each other within seconds. If none has failed for this long, nothing is attempted any more. */
const forgottenAfterMs = 30_000

/** Knows since when every attempt at something has failed, and why. */
export class Trouble {
  private since = 0
  private latest = Number.NEGATIVE_INFINITY
  private reason: string | undefined

  /** An attempt succeeded. */
  passed(): void {
    this.reason = undefined
  }

  /** @param ms how long the attempt took */
  failed(error: unknown, ms = 0, now = performance.now()): void {
    this.latest = now
    if (this.reason === undefined) this.since = this.latest - ms
    this.reason = describeError(error)
  }

  /** Why it fails, once attempts have failed for some seconds. A single short failure says nothing of later ones. */
  report(now = performance.now()): string | undefined {
    const lasting = this.latest - this.since >= reportAfterMs && now - this.latest < forgottenAfterMs
    return lasting ? this.reason : undefined
  }
}
