import type { Request } from '../batch/process-request.ts'
import type { AnswerInput } from '../model.ts'
import type { Turns } from '../turns.ts'

const source = 'answer'
/** Maximum number of answers per transaction. */
const perBatch = 500

/** The lane the answers belong to; `Lane` implements it. */
export interface AnswerLane {
  /** How many inputs may be processed together. */
  readonly limit: number
  readonly turns: Pick<Turns, 'beside'>
  /** @returns false if the request could not be processed now */
  process(request: Request): Promise<boolean>
  backOff(): Promise<void>
}

/** Pending answers of one ownership of a lane. Answers that arrive while the lane is busy are processed together. */
export class LaneAnswers {
  private readonly lane: AnswerLane
  private waiting: AnswerInput[] = []
  private closed = false

  constructor(lane: AnswerLane) {
    this.lane = lane
  }

  push(answer: AnswerInput): void {
    this.waiting.push(answer)
    if (this.waiting.length === 1) void this.run()
  }

  /** Drops the waiting answers: the calls are still in their table and will be made again with the same key. */
  close(): void {
    this.closed = true
  }

  private async run(): Promise<void> {
    const { lane } = this
    while (this.waiting.length > 0 && !this.closed) {
      const processed = await lane.turns.beside(source, async () => {
        const items = this.waiting.slice(0, Math.min(perBatch, lane.limit))
        const [first] = items
        if (this.closed || !first || !(await lane.process({ source, name: first.id, items }))) return false
        this.waiting.splice(0, items.length)
        return true
      })
      if (!processed && !this.closed) await lane.backOff()
    }
  }
}
