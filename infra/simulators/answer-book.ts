import { isDeepStrictEqual } from 'node:util'
import { openJournal } from './journal.ts'

/** The answer of a simulator to one idempotency key; also a line of its journal. */
export interface Entry {
  /** Time of the answer, UTC epoch ms. */
  readonly time: number
  /** Idempotency key. */
  readonly key: string
  readonly path: string
  readonly request: object
  /** The subject of the request, for checks of the journal. */
  readonly about: Readonly<Record<string, string | number>>
  /** HTTP status of the answer. */
  readonly status: number
  readonly answer: object
  /** How often the key was received, this time included. */
  readonly seen: number
}

/** An answer before it is written. */
export type Outcome = Pick<Entry, 'about' | 'status' | 'answer'>

/** A repeated key: only the count is written. */
type Repeat = Pick<Entry, 'time' | 'key' | 'seen'>

export interface AnswerBook {
  /** The entries of all keys, in the order of their decisions. */
  entries(): Iterable<Entry>
  /**
   * Answers a key once: the first time with the result of `decide`, then always with the same answer, also after a restart.
   * Resolves once the answer is on disk; with `undefined` if the key belongs to another request.
   */
  answer(key: string, path: string, request: object, decide: (time: number) => Outcome): Promise<Entry | undefined>
  close(): Promise<void>
}

/** @param apply called once for every entry, those of the file first; the state of the simulator is their sum */
export async function openAnswerBook(file: string, apply: (entry: Entry) => void): Promise<AnswerBook> {
  const journal = await openJournal<Entry | Repeat>(file)
  const byKey = new Map<string, Entry>()
  const enter = (line: Entry | Repeat): Entry | undefined => {
    if ('answer' in line) {
      byKey.set(line.key, line)
      apply(line)
      return line
    }
    const known = byKey.get(line.key)
    if (known) byKey.set(line.key, { ...known, seen: line.seen })
    return known
  }
  journal.lines.forEach(enter)

  return {
    entries: () => byKey.values(),
    async answer(key, path, request, decide) {
      const time = Date.now()
      const known = byKey.get(key)
      if (known && !(known.path === path && isDeepStrictEqual(known.request, request))) return undefined
      const line = known ? { time, key, seen: known.seen + 1 } : { time, key, path, request, ...decide(time), seen: 1 }
      const entry = enter(line)
      await journal.append(line)
      return entry
    },
    close: () => journal.close(),
  }
}
