import type { Readable } from 'node:stream'
import { TallyError } from '../../infra/errors.ts'
import type { ReadEvent } from '../../producers/event-json/event-json.ts'
import { readLines } from '../../producers/event-json/event-lines.ts'
import type { ReadLine } from '../../producers/event-json/event-lines.ts'
import type { OutgoingEvent } from '../../producers/direct/publisher.ts'

export interface EventSource {
  events: Iterable<OutgoingEvent> | AsyncIterable<OutgoingEvent>
  /** Number of events, if known in advance. */
  total?: number
}

export interface LineOptions {
  read: (text: string) => ReadEvent
  /** Skip bad lines instead of stopping. */
  skipBad: boolean
  signal: AbortSignal
  /** Called for every bad line, skipped or not. */
  onBad(line: number, faults: readonly string[]): void
}

/**
 * Reads events from a file. Checks the whole file before it yields the first event.
 * @throws TallyError USAGE if the file cannot be read, BAD_LINES if a line is bad and `skipBad` is not set
 */
export async function fromFile(path: string, { read, skipBad, signal, onBad }: LineOptions): Promise<EventSource> {
  let [good, bad] = [0, 0]
  for await (const { line, faults } of readLines(path, read, signal)) {
    if (!faults) good++
    else {
      bad++
      onBad(line, faults)
    }
  }
  if (bad > 0 && !skipBad) {
    throw new TallyError(
      'BAD_LINES',
      `Nothing was sent: ${bad} bad line${bad === 1 ? '' : 's'}. Correct them, or skip them with --skip-bad`,
    )
  }
  return { events: goodOf(readLines(path, read, signal), () => {}), total: good }
}

/** Reads events from a stream and checks them one by one. A bad line throws TallyError BAD_LINES unless `skipBad` is set. */
export const fromStream = (input: Readable, { read, skipBad, signal, onBad }: LineOptions): EventSource => ({
  events: goodOf(readLines(input, read, signal), (line, faults) => {
    onBad(line, faults)
    if (!skipBad)
      throw new TallyError(
        'BAD_LINES',
        `Line ${line} is bad. Correct it and send it and the lines after it, or skip bad lines with --skip-bad`,
      )
  }),
})

async function* goodOf(lines: AsyncIterable<ReadLine>, onBad: LineOptions['onBad']): AsyncGenerator<OutgoingEvent> {
  for await (const { line, event, faults } of lines) {
    if (event) yield event
    else onBad(line, faults)
  }
}
