import type { Readable } from 'node:stream'
import { TallyError } from '../../infra/errors.ts'
import type { ReadEvent } from '../../producers/event-json/event-json.ts'
import { readLines } from '../../producers/event-json/event-lines.ts'
import type { ReadLine } from '../../producers/event-json/event-lines.ts'
import type { OutgoingEvent } from '../../producers/direct/publisher.ts'

export interface EventSource {
  events: Iterable<OutgoingEvent> | AsyncIterable<OutgoingEvent>
  /** How many there are, where that is known beforehand. */
  total?: number
}

export interface LineOptions {
  read: (text: string, number: number) => ReadEvent
  /** Leave bad lines out instead of stopping. */
  skipBad: boolean
  signal: AbortSignal
  /** Told of every bad line, also of those left out. */
  onBad(line: number, faults: readonly string[]): void
}

/**
 * Events of a file, all of which are read and checked before the first is given.
 * @throws TallyError USAGE when a line is bad and bad lines are not to be left out
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
      'USAGE',
      `Nothing was sent: ${bad} bad line${bad === 1 ? '' : 's'}. Put them right, or leave them out with --skip-bad`,
    )
  }
  return { events: goodOf(readLines(path, read, signal), () => {}), total: good }
}

/** Events of a stream, checked one by one; the first bad line ends it with TallyError USAGE unless it is left out. */
export const fromStream = (input: Readable, { read, skipBad, signal, onBad }: LineOptions): EventSource => ({
  events: goodOf(readLines(input, read, signal), (line, faults) => {
    onBad(line, faults)
    if (!skipBad)
      throw new TallyError(
        'USAGE',
        `Line ${line} is bad. Put it right and send it and what follows, or leave bad lines out with --skip-bad`,
      )
  }),
})

async function* goodOf(lines: AsyncIterable<ReadLine>, onBad: LineOptions['onBad']): AsyncGenerator<OutgoingEvent> {
  for await (const { line, event, faults } of lines) {
    if (event) yield event
    else onBad(line, faults)
  }
}
