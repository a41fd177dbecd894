import { describeError } from '../../../../infra/errors.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { isDataError } from '../../../../infra/postgres/sqlstates.ts'
import type { Chosen, Ownership, ParkedInput, RecordInput } from '../../../runtime/model.ts'
import { applyBatch } from '../../../runtime/batch/apply-batch.ts'
import type { Applied as AppliedBatch, ProcessContext } from '../../../runtime/batch/apply-batch.ts'

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
  /** Keys of which an event was refused: what follows of them waits behind it. Grows. */
  readonly behind: Set<string>
  /** Passes over events that are refused; else nothing is applied from the first one on. */
  readonly goOn: boolean
}

export interface Result {
  readonly applied: readonly Applied[]
  /** In order; at most one without `goOn`. */
  readonly refused: readonly Refused[]
}

/** Nothing is parked by a replay, so limits of parking do not matter. */
const neverParks = {
  policy: { retryLimit: 0, retryFirstMs: 0, parkedLimit: 0 },
  breaker: { objection: () => undefined, record: () => {} },
  owner: 'replay',
}

/**
 * Applies events in their order within a transaction of the caller's. Those that are refused, by their handler or by the
 * database, leave nothing behind in it.
 * @throws database errors that are no event's fault
 */
export async function applyChosen(inputs: readonly RecordInput[], options: ApplyOptions): Promise<Result> {
  if (inputs.length === 0) return { applied: [], refused: [] }
  const waiting = inputs.filter(({ key }) => options.behind.has(key))
  if (waiting.length > 0) return applyOthers(inputs, waiting.map(behindAnother), options)
  const attempt = await tryAll(inputs, options)
  if ('applied' in attempt) return { applied: [attempt.applied], refused: [] }
  if ('refused' in attempt) return applyOthers(inputs, attempt.refused, options)
  const [only, ...more] = inputs
  if (only && more.length === 0)
    return applyOthers(inputs, [{ input: only, reason: 'REFUSED_BY_DATABASE', error: attempt.error }], options)
  const middle = inputs.length >> 1
  const head = await applyChosen(inputs.slice(0, middle), options)
  if (head.refused.length > 0 && !options.goOn) return head
  const tail = await applyChosen(inputs.slice(middle), options)
  return { applied: [...head.applied, ...tail.applied], refused: [...head.refused, ...tail.refused] }
}

const behindAnother = (input: RecordInput): Refused => ({
  input,
  reason: 'BEHIND',
  error: 'an event of its key before it was not applied',
})

async function applyOthers(
  inputs: readonly RecordInput[],
  found: readonly Refused[],
  options: ApplyOptions,
): Promise<Result> {
  const out = new Set(found.map(({ input }) => input))
  const first = inputs.findIndex((input) => out.has(input))
  const others = options.goOn ? inputs.filter((input) => !out.has(input)) : inputs.slice(0, first)
  const { applied, refused } = await applyChosen(others, options)
  for (const { input } of found) options.behind.add(input.key) // Only now: the others may be of these keys, in front
  if (options.goOn) return { applied, refused: [...found, ...refused] }
  return { applied, refused: refused.length > 0 ? refused : found.slice(0, 1) }
}

type Attempt = { applied: Applied } | { refused: Refused[] } | { error: string }

async function tryAll(inputs: readonly RecordInput[], { tx, context, own, inbox }: ApplyOptions): Promise<Attempt> {
  await tx.query('savepoint chosen')
  try {
    const batch = { source: 'chosen', inputs, inbox } as const
    const applied = await applyBatch(tx, { ...context, ...neverParks }, own, batch)
    const { parked } = applied.outcome
    if (parked.length === 0) {
      await tx.query('set constraints all immediate') // What would be refused at the commit is refused now
      await tx.query('release savepoint chosen')
      return { applied }
    }
    await tx.query('rollback to savepoint chosen')
    return { refused: parked.map((each) => explain(each, parked)) }
  } catch (error) {
    if (!isDataError(error)) throw error
    await tx.query('rollback to savepoint chosen')
    return { error: describeError(error) }
  }
}

function explain({ input, reason, error }: ParkedInput, all: readonly ParkedInput[]): Refused {
  const record = input as RecordInput // Nothing else was given
  if (reason !== 'BEHIND') return { input: record, reason, error: error ?? reason }
  if (all.some((other) => other.input.key === input.key && other.reason !== 'BEHIND')) return behindAnother(record)
  return { input: record, reason, error: 'its key has parked events: redrive them first' }
}
