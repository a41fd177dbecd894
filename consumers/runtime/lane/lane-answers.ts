import type { AnswerInput } from '../model.ts'
import type { Request } from './lane-context.ts'

/** Answers taken in one transaction. */
const perBatch = 500

export interface LaneAnswersOptions {
  /** Takes answers within the lane's turn. @returns false if they could not be taken now */
  take(request: Request): Promise<boolean>
  /** Gives the lane's turn to `work`. */
  serially<T>(work: () => Promise<T>): Promise<T>
  /** How many may be taken together. */
  limit(): number
  backOff(): Promise<void>
}

/** Answers of one ownership of a lane that wait for their turn. Those that come meanwhile are taken together. */
export class LaneAnswers {
  private readonly options: LaneAnswersOptions
  private waiting: AnswerInput[] = []
  private closed = false

  constructor(options: LaneAnswersOptions) {
    this.options = options
  }

  push(answer: AnswerInput): void {
    this.waiting.push(answer)
    if (this.waiting.length === 1) void this.run()
  }

  /** What waits is given up: the calls are still in their table and will be made again with the same key. */
  close(): void {
    this.closed = true
  }

  private async run(): Promise<void> {
    const { take, serially, limit, backOff } = this.options
    while (this.waiting.length > 0 && !this.closed) {
      const taken = await serially(async () => {
        const inputs = this.waiting.slice(0, Math.min(perBatch, limit()))
        const read = async () => ({ source: 'answer' as const, inputs })
        if (this.closed || !(await take({ name: inputs[0]?.id ?? '', inputs: inputs.length, read }))) return false
        this.waiting.splice(0, inputs.length)
        return true
      })
      if (!taken && !this.closed) await backOff()
    }
  }
}
