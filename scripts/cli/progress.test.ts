import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { createProgress } from './progress.ts'

function setUp(terminal: boolean, total?: number, more: { brief?: boolean } = {}) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: terminal, columns: 60 })
  const clock = { ms: 0 }
  const progress = createProgress('Sent', { ...more, total, stream: stream as never, now: () => clock.ms })
  return { progress, clock, shown: () => String(stream.read() ?? '') }
}

describe('progress', () => {
  test('is a line every few seconds where nobody watches', () => {
    const { progress, clock, shown } = setUp(false, 10_000)
    for (clock.ms = 0; clock.ms < 7_000; clock.ms += 500) progress.update(clock.ms)
    progress.finish()
    expect(shown().split('\n')).toEqual([
      'Sent: 3,000 of 10,000 events, 30 %, 1,000/s, 7.0 s left',
      'Sent: 6,000 of 10,000 events, 60 %, 1,000/s, 4.0 s left',
      'Sent: 6,500 of 10,000 events, 929/s, 7.0 s',
      '',
    ])
  })

  test('rewrites one line on a terminal and keeps it within its width', () => {
    const { progress, clock, shown } = setUp(true)
    clock.ms = 1_000
    progress.update(50, 'a note that is far too long for the terminal this runs in')
    const [line = ''] = shown().split('\n')
    expect(line).toContain('Sent: 50 events, 50/s, a note')
    expect(stripVTControlCharacters(line)).toHaveLength(59)
    progress.finish('')
    expect(shown()).toMatch(/Sent: 50 events, 50\/s, 1\.0 s\n$/)
  })

  test('counts one event', () => {
    const { progress, clock, shown } = setUp(false)
    clock.ms = 1_000
    progress.update(1)
    progress.finish()
    expect(shown()).toBe('Sent: 1 event, 1/s, 1.0 s\n')
  })

  test('is silent about a brief step that a report follows', () => {
    const { progress, clock, shown } = setUp(false, 5, { brief: true })
    progress.update(5)
    progress.finish()
    expect(shown()).toBe('')
    clock.ms = 9_000
    progress.update(5)
    expect(shown()).toBe('')
  })

  test('says nothing more once finished', () => {
    const { progress, clock, shown } = setUp(false)
    progress.finish()
    shown()
    clock.ms = 60_000
    progress.update(5)
    progress.finish()
    expect(shown()).toBe('')
  })
})
