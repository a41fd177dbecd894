import { TallyError } from '../../infra/errors.ts'

/** An edit that removes one guard from the code, and the test that must fail without it. */
export interface Mutation {
  /** Name for `--only`. */
  readonly name: string
  /** The guard in a few words. */
  readonly guard: string
  /** Behaviour of the code without it. */
  readonly broken: string
  readonly edits: readonly Edit[]
  readonly noticedBy: NamedTest
}

export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export interface NamedTest {
  readonly file: string
  /** As in the file; `%s` and `${…}` match any text. */
  readonly title: string
}

/**
 * @returns the source without the guard
 * @throws TallyError INVARIANT if the mutation is stale: its text does not occur exactly once
 */
export function applyEdit(source: string, { file, find, replace }: Edit): string {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1
    throw new TallyError('INVARIANT', `stale mutation: ${file} has this text ${times} times, not once: ${find}`)
  }
  return before + replace + after
}
