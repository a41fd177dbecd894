import { open } from 'node:fs/promises'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { TallyError } from '../../infra/errors.ts'
import { textLines } from '../../infra/text/text-lines.ts'
import { whyUnreadable } from '../../infra/why-unreadable.ts'
import type { ReadEvent } from './event-json.ts'

export type ReadLine = ReadEvent & { line: number }

/**
 * Reads one event per line (`textLines` says what a line is); skips empty lines.
 * @param input a path, or a stream such as standard input; the stream is closed at the end
 * @param read as `createEventReader` makes it
 * @param signal ends the reading without an error, also while a stream is idle
 * @throws TallyError USAGE when the file cannot be opened
 */
export async function* readLines(
  input: string | Readable,
  read: (text: string) => ReadEvent,
  signal?: AbortSignal,
): AsyncGenerator<ReadLine> {
  const stream = typeof input === 'string' ? await openFile(input) : input
  try {
    for await (const { line, text, fault } of textLines(signal ? addAbortSignal(signal, stream) : stream)) {
      if (fault !== undefined) yield { line, faults: [fault] }
      else if (text.trim() !== '') yield { line, ...read(text) }
    }
  } catch (error) {
    if (!signal?.aborted) throw error
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
