import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { applyBatch } from '../../../runtime/batch/apply-batch.ts'
import type { Applied as AppliedBatch, ProcessContext } from '../../../runtime/batch/apply-batch.ts'
import { processOrSplit } from '../../../runtime/batch/split-batch.ts'
import type { Chosen, LaneBatch, Ownership, ParkedInput, RecordInput, Refusal } from '../../../runtime/model.ts'
import { tryBatch, withoutLimits } from '../../try-batch.ts'

/** What a batch of chosen events has led to. */
export type Applied = AppliedBatch<unknown, unknown>

/** An event that was not applied. */
export interface Refused {
  readonly input: RecordInput
  readonly reason: ParkedInput['reason']
  /** One line. */
  readonly error: string
}

export interface ApplyOptions {
  /** Holds the lane's lock. */
  readonly tx: Tx
  readonly context: Pick<ProcessContext<unknown, unknown>, 'definition' | 'pool' | 'codec' | 'generation'>
  readonly own: Ownership
  readonly inbox: Chosen['inbox']
  /** Keys with a refused event: later events of these keys are refused, too. Grows. */
  readonly behind: Set<string>
  /** Skips refused events; otherwise nothing is applied from the first one on. */
  readonly skipRefused: boolean
}

export interface Result {
  readonly applied: readonly Applied[]
  /** In order; at most one without `skipRefused`. */
  readonly refused: readonly Refused[]
}

/**
 * Applies events in their order within an open transaction. Events that their handler or the database refuses leave nothing
 * behind in it.
 * @throws errors that are not due to an event
 */
export async function applyChosen(inputs: readonly RecordInput[], options: ApplyOptions): Promise<Result> {
  const { own, inbox, skipRefused } = options
  let stopped = false
  const process = async ({ batch, refusal }: LaneBatch): Promise<Result> => {
    if (stopped) return { applied: [], refused: [] }
    const part = batch.inputs as readonly RecordInput[]
    const result = refusal
      ? await applyOthers(part, part.map(refusedAs(refusal)), options)
      : await applyPart(part, options)
    stopped = result.refused.length > 0 && !skipRefused
    return result
  }
  const { done, failure } = await processOrSplit(
    { own, batch: { source: 'chosen', inputs, inbox } },
    { groups: { process }, fault: { isStubborn: () => false }, alone: true },
  )
  if (failure) throw failure.error
  return { applied: done.flatMap(({ applied }) => applied), refused: done.flatMap(({ refused }) => refused) }
}

const refusedAs =
  ({ reason, error = reason }: Refusal) =>
  (input: RecordInput): Refused => ({ input, reason, error })

/** @throws what the database refuses as it comes, to be bisected */
async function applyPart(inputs: readonly RecordInput[], options: ApplyOptions): Promise<Result> {
  if (inputs.length === 0) return { applied: [], refused: [] }
  const waiting = inputs.filter(({ key }) => options.behind.has(key))
  if (waiting.length > 0) return applyOthers(inputs, waiting.map(behindAnother), options)
  const { tx, context, own, inbox } = options
  const batch = { source: 'chosen', inputs, inbox } as const
  const attempt = await tryBatch(
    tx,
    () => applyBatch(tx, { ...context, ...withoutLimits, owner: 'replay' }, own, batch),
    ({ outcome }) => outcome.parked.length === 0,
  )
  if ('refused' in attempt) throw attempt.cause
  const { parked } = attempt.applied.outcome
  if (parked.length === 0) return { applied: [attempt.applied], refused: [] }
  return applyOthers(
    inputs,
    parked.map((each) => explain(each, parked)),
    options,
  )
}

const behindAnother = (input: RecordInput): Refused => ({
  input,
  reason: 'BEHIND',
  error: 'an event of its key before it was not applied',
})

/** Applies all inputs but those found to be refused. */
async function applyOthers(
  inputs: readonly RecordInput[],
  found: readonly Refused[],
  options: ApplyOptions,
): Promise<Result> {
  const out = new Set(found.map(({ input }) => input))
  const first = inputs.findIndex((input) => out.has(input))
  const others = options.skipRefused ? inputs.filter((input) => !out.has(input)) : inputs.slice(0, first)
  const { applied, refused } = await applyChosen(others, options)
  for (const { input } of found) options.behind.add(input.key) // Not earlier: the others may precede them in these keys
  if (options.skipRefused) return { applied, refused: [...found, ...refused] }
  return { applied, refused: refused.length > 0 ? refused : found.slice(0, 1) }
}

function explain({ input, reason, error }: ParkedInput, all: readonly ParkedInput[]): Refused {
  const record = input as RecordInput // No other inputs were given
  if (reason !== 'BEHIND') return { input: record, reason, error: error ?? reason }
  if (all.some((other) => other.input.key === input.key && other.reason !== 'BEHIND')) return behindAnother(record)
  return { input: record, reason, error: 'its key has parked events: redrive them first' }
}
