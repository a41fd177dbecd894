import { TallyError } from '../../infra/errors.ts'

/** One guard taken out of the code, and the test that must notice. */
export interface Mutation {
  /** For `--only`. */
  readonly name: string
  /** What protects, in a few words. */
  readonly guard: string
  /** What the code does without it. */
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
  /** As it stands in the file; `%s` and `${…}` stand for anything. */
  readonly title: string
}

/**
 * @returns the source with the guard taken out
 * @throws TallyError INVARIANT if the text to replace is not there exactly once: then the mutation is stale
 */
export function applyEdit(source: string, { file, find, replace }: Edit): string {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(find).length - 1
    throw new TallyError('INVARIANT', `stale mutation: ${file} has this text ${times} times, not once: ${find}`)
  }
  return before + replace + after
}
