import type { ParkedInput } from './decide.ts'

/** Inputs looked back on at least, how many of them must have failed in one way, and which share of them. */
const window = 50
const enough = 20
const share = 0.8

interface Tried {
  readonly inputs: number
  /** One signature per failed input. */
  readonly failures: readonly string[]
}

/**
 * Tells a poisonous event from a broken service. When most of the recent inputs fail in one way, the fault is not theirs:
 * parking them all would only move the work into the parking lot. One per process; what was rolled back does not count.
 */
export class FailureBreaker {
  private recent: readonly Tried[] = []

  /**
   * Asked before a batch's transaction commits.
   * @returns the fault most inputs fail with, if this batch would park more of it
   */
  objection(inputs: number, parked: readonly ParkedInput[]): string | undefined {
    const batch = { inputs, failures: signaturesOf(parked) }
    if (batch.failures.length === 0) return undefined
    const tried = this.lookBack(batch)
    const total = tried.reduce((sum, { inputs: count }) => sum + count, 0)
    const all = tried.flatMap(({ failures }) => failures)
    return batch.failures.find((signature) => {
      const failed = all.filter((other) => other === signature).length
      return failed >= enough && failed >= share * total
    })
  }

  /** The batch is committed. */
  record(inputs: number, parked: readonly ParkedInput[]): void {
    if (inputs > 0) this.recent = this.lookBack({ inputs, failures: signaturesOf(parked) })
  }

  /** As many of the latest batches as it takes to see `window` inputs. */
  private lookBack(batch: Tried): Tried[] {
    const tried = [...this.recent, batch]
    let total = tried.reduce((sum, { inputs }) => sum + inputs, 0)
    while (tried[0] && total - tried[0].inputs >= window) total -= tried.shift()?.inputs ?? 0
    return tried
  }
}

const signaturesOf = (parked: readonly ParkedInput[]): string[] =>
  parked.filter(({ reason }) => reason !== 'BEHIND').map(({ reason, error = '' }) => signatureOf(`${reason}: ${error}`))

/** The same fault under changing ids and numbers reads the same. */
export const signatureOf = (error: string): string =>
  error
    .replaceAll(/"[^"]*"|'[^']*'/g, '…')
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}|\d+/gi, '#')
    .slice(0, 200)
