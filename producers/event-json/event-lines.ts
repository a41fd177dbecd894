import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { TallyError } from '../../infra/errors.ts'
import { whyUnreadable } from '../../infra/why-unreadable.ts'
import type { ReadEvent } from './event-json.ts'

export type ReadLine = ReadEvent & { line: number }

/**
 * Reads one event per line; skips empty lines.
 * @param input a path, or a stream such as standard input; the stream is closed at the end
 * @param read as `createEventReader` makes it
 * @param signal ends the reading, also while a stream is idle
 * @throws TallyError USAGE when the file cannot be opened
 */
export async function* readLines(
  input: string | Readable,
  read: (text: string, number: number) => ReadEvent,
  signal?: AbortSignal,
): AsyncGenerator<ReadLine> {
  const stream = typeof input === 'string' ? await openFile(input) : input
  let line = 0
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY, signal })) {
      line++
      if (text.trim() !== '') yield { line, ...read(text, line) }
    }
  } finally {
    stream.destroy()
  }
}

async function openFile(path: string): Promise<Readable> {
  try {
    const file = await open(path)
    if ((await file.stat()).isDirectory()) throw new TallyError('USAGE', 'it is a folder')
    return file.createReadStream()
  } catch (error) {
    throw new TallyError('USAGE', `Cannot read ${path}: ${whyUnreadable(error)}`)
  }
}
