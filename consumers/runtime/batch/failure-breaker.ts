import type { ParkedInput } from '../model.ts'

/**
 * Records with these reasons are faulty themselves: they cannot be decoded, or are in the wrong topic or partition.
 * Their number says nothing about a service. They are always parked, up to the limit of their lane.
 */
const faultsOfData: ReadonlySet<ParkedInput['reason']> = new Set(['UNREADABLE', 'MISROUTED'])

/** Number of recent inputs considered; number and share of them that must have failed in the same way. */
const window = 50
const enough = 20
const share = 0.8

interface Tried {
  readonly inputs: number
  /** One signature per failed input. */
  readonly failures: readonly string[]
}

/**
 * Distinguishes a bad event from a broken service. If most recent inputs fail in the same way, the inputs are not the
 * cause, and parking them all would only move the backlog. One per process; batches that were rolled back do not count.
 */
export class FailureBreaker {
  private recent: readonly Tried[] = []

  /**
   * Call before a batch's transaction commits.
   * @returns the fault that most inputs fail with if this batch would park more inputs for it
   */
  objection(inputs: number, parked: readonly ParkedInput[]): string | undefined {
    const batch = tried(inputs, parked)
    if (batch.failures.length === 0) return undefined
    const recent = this.lookBack(batch)
    const total = recent.reduce((sum, { inputs: count }) => sum + count, 0)
    const all = recent.flatMap(({ failures }) => failures)
    return batch.failures.find((signature) => {
      const failed = all.filter((other) => other === signature).length
      return failed >= enough && failed >= share * total
    })
  }

  /** Call after the batch's commit. */
  record(inputs: number, parked: readonly ParkedInput[]): void {
    const batch = tried(inputs, parked)
    if (batch.inputs > 0) this.recent = this.lookBack(batch)
  }

  /** The latest batches that together have at least `window` inputs. */
  private lookBack(batch: Tried): Tried[] {
    const recent = [...this.recent, batch]
    let total = recent.reduce((sum, { inputs }) => sum + inputs, 0)
    while (recent[0] && total - recent[0].inputs >= window) total -= recent.shift()?.inputs ?? 0
    return recent
  }
}

/** Excludes faulty data: it counts neither as failures nor as inputs. */
function tried(inputs: number, parked: readonly ParkedInput[]): Tried {
  const others = parked.filter(({ reason }) => !faultsOfData.has(reason))
  return { inputs: inputs - (parked.length - others.length), failures: signaturesOf(others) }
}

const signaturesOf = (parked: readonly ParkedInput[]): string[] =>
  parked.filter(({ reason }) => reason !== 'BEHIND').map(({ reason, error = '' }) => signatureOf(`${reason}: ${error}`))

/** Masks ids and numbers, so that the same fault of different inputs has the same signature. */
export const signatureOf = (error: string): string =>
  error
    .replaceAll(/"[^"]*"|'[^']*'/g, '…')
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}|\d+/gi, '#')
    .slice(0, 200)
