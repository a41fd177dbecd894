import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TallyError } from '../errors.ts'

/** An append-only file of JSON lines. */
export interface Journal<Line extends object> {
  /** The lines that the file held when it was opened. */
  readonly lines: readonly Line[]
  /** Resolves once the line is on disk. After a failure every later append fails too: the file may end in half a line. */
  append(line: Line): Promise<void>
  close(): Promise<void>
}

/**
 * Opens or creates the file. A partial line at the end, left by a crash, is removed: it was never acknowledged.
 * @throws TallyError INVARIANT if any other line is damaged
 */
export async function openJournal<Line extends object>(path: string): Promise<Journal<Line>> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'a+')
  const bytes = await file.readFile()
  const intact = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
  if (intact.length < bytes.length) await file.truncate(intact.length)

  let gathered: string[] = []
  let upcoming: Promise<void> | undefined
  let written = Promise.resolve()
  const flush = async () => {
    const text = gathered.join('')
    gathered = []
    upcoming = undefined
    await file.appendFile(text)
    await file.datasync()
  }
  return {
    lines: parseLines(path, intact),
    append(line) {
      gathered.push(`${JSON.stringify(line)}\n`)
      // Lines that come while a batch is being written share the next write and its fsync
      upcoming ??= written = written.then(flush)
      return upcoming
    },
    async close() {
      await written.finally(() => file.close())
    },
  }
}

function parseLines<Line>(path: string, bytes: Buffer): Line[] {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1)
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as Line
    } catch (cause) {
      throw new TallyError('INVARIANT', `${path}, line ${index + 1} is damaged`, { cause })
    }
  })
}
