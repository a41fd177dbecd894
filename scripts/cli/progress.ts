import { clearLine, cursorTo } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { count as whole, duration } from './figures.ts'

export interface Progress {
  /** @param done how many so far; @param note short text shown behind the figures */
  update(done: number, note?: string): void
  /** Shows the final figures; later updates are ignored. */
  finish(note?: string): void
}

export interface ProgressOptions {
  /** How many there will be; without it no share and no time left is shown. */
  total?: number
  /** What is counted, plural. @default 'events' */
  unit?: string
  /** No last line, unless an earlier one was shown: a report follows. */
  brief?: boolean
  /** @default standard error */
  stream?: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>
  /** Milliseconds, monotonic. */
  now?: () => number
}

const terminalIntervalMs = 100
const plainIntervalMs = 3_000

/**
 * Tells how far something is, on standard error: one line that is rewritten on a terminal, a plain line every three seconds
 * elsewhere. Without colour, so NO_COLOR has nothing to switch off. Needs no end: an abandoned progress holds nothing open.
 */
export function createProgress(label: string, options: ProgressOptions = {}): Progress {
  const { total, unit = 'events', brief = false, stream = process.stderr, now = () => performance.now() } = options
  const startedAt = now()
  let shownAt = startedAt
  let last = { done: 0, note: '' }
  let finished = false
  let shown = false

  const show = (end: boolean) => {
    const line = progressLine(label, { ...last, total, unit, elapsedMs: now() - startedAt, ended: end })
    if (stream.isTTY) {
      cursorTo(stream, 0)
      clearLine(stream, 0)
      stream.write(end ? `${line}\n` : line.slice(0, (stream.columns ?? 80) - 1))
    } else stream.write(`${line}\n`)
    shownAt = now()
    shown = true
  }
  return {
    update(done, note = '') {
      last = { done, note }
      if (!finished && now() - shownAt >= (stream.isTTY ? terminalIntervalMs : plainIntervalMs)) show(false)
    },
    finish(note = last.note) {
      if (finished) return
      last.note = note
      finished = true
      if (shown || !brief) show(true)
    },
  }
}

export interface ProgressFigures {
  done: number
  total?: number
  unit: string
  note: string
  elapsedMs: number
  ended: boolean
}

/** `Publishing: 4,200 of 10,000 events, 42 %, 1,400/s, 4 s left` */
export function progressLine(label: string, { done, total, unit, note, elapsedMs, ended }: ProgressFigures): string {
  const rate = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0
  const counted = (total ?? done) === 1 ? unit.replace(/s$/, '') : unit
  const parts = [`${count(done)}${total === undefined ? '' : ` of ${count(total)}`} ${counted}`]
  if (total && !ended) parts.push(`${Math.floor((done / total) * 100)} %`)
  if (done > 0) parts.push(`${count(rate)}/s`)
  if (ended) parts.push(duration(elapsedMs))
  else if (total && rate > 0) parts.push(`${duration(((total - done) / rate) * 1_000)} left`)
  if (note) parts.push(note)
  return `${label}: ${parts.join(', ')}`
}

/** Slow rates keep a digit behind the point. */
const count = (value: number): string =>
  value < 10 ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : whole(value)

/** After how long a silent step says what it does, milliseconds. */
const silentAtMost = 1_000

/**
 * Waits for a step that cannot be counted. What takes over a second is named on standard error; on a terminal that line
 * is removed at the end, before results are printed.
 * @param step what happens, such as `Measuring rates for 2 s`
 */
export async function during<T>(
  step: string,
  work: Promise<T>,
  stream: NonNullable<ProgressOptions['stream']> = process.stderr,
): Promise<T> {
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    stream.write(stream.isTTY ? `${step} …` : `${step} …\n`)
  }, silentAtMost)
  try {
    return await work
  } finally {
    clearTimeout(timer)
    if (shown && stream.isTTY) {
      cursorTo(stream, 0)
      clearLine(stream, 0)
    }
  }
}
