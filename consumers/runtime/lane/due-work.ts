import { describeError } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Request } from '../batch/process-request.ts'
import type { Turns } from '../turns.ts'

/** A lane to which due rows are passed; `Lane` implements it. */
export interface DueLane {
  /** Whether timers and parked events are processed. */
  readonly accepting: boolean
  /** How many inputs may be processed together. */
  readonly limit: number
  readonly turns: Pick<Turns, 'alone'>
  process(request: Request): Promise<boolean>
}

interface DueWorkOptions {
  lanes: ReadonlyMap<number, DueLane>
  log: Pick<Logger, 'warn'>
}

type ToRequest<Row> = (rows: readonly [Row, ...Row[]]) => Request

/** Due rows of one kind. A lane gets more rows only when it has processed those it was given before. */
export class DueWork<Row extends { lane: number }> {
  private readonly options: DueWorkOptions
  private readonly read: (lanes: readonly number[]) => Promise<readonly Row[]>
  private readonly toRequest: ToRequest<Row>
  private readonly inHand = new Map<number, Promise<void>>()
  private reading: Promise<void> | undefined

  constructor(options: DueWorkOptions, read: DueWork<Row>['read'], toRequest: ToRequest<Row>) {
    this.options = options
    this.read = read
    this.toRequest = toRequest
  }

  /** Reads the due rows of these lanes and passes them on, in the background. */
  start(due: readonly number[]): void {
    const { lanes, log } = this.options
    const free = due.filter((lane) => lanes.get(lane)?.accepting && !this.inHand.has(lane))
    if (free.length === 0 || this.reading) return
    this.reading = this.handOut(free)
      .catch((error: unknown) => log.warn({ error: describeError(error) }, 'due timers and parked events not read'))
      .finally(() => (this.reading = undefined))
  }

  async idle(): Promise<void> {
    await this.reading
    await Promise.all(this.inHand.values())
  }

  private async handOut(free: readonly number[]): Promise<void> {
    const { lanes, log } = this.options
    for (const [lane, rows] of Map.groupBy(await this.read(free), (row) => row.lane)) {
      const work = hand(lanes.get(lane), rows, this.toRequest)
        .catch((error: unknown) =>
          log.warn({ lane, error: describeError(error) }, 'due timers and parked events not processed'),
        )
        .finally(() => this.inHand.delete(lane))
      this.inHand.set(lane, work)
    }
  }
}

/** Processes the rows when it is the lane's turn, with at most `limit` rows per request. */
async function hand<Row>(lane: DueLane | undefined, rows: readonly Row[], toRequest: ToRequest<Row>): Promise<void> {
  await lane?.turns.alone(async () => {
    for (let start = 0; lane.accepting; ) {
      const [first, ...more] = rows.slice(start, start + Math.min(rows.length, lane.limit))
      if (!first || !(await lane.process(toRequest([first, ...more])))) return
      start += 1 + more.length
    }
  })
}
