import { expect, test } from '@jest/globals'
import type { Bar, Benchmark, Contender, Repeat } from '../benchmark.ts'
import { sentenceOf } from './print-report.ts'
import { spreadOf, summarize } from './report.ts'

const contender = (name: string): Contender => ({
  name,
  setup: '',
  measure: () => Promise.reject(new Error('not run')),
})
const repeats = (...rates: number[]): Repeat[] =>
  rates.map((perSecond) => ({ perSecond, cpuPerEvent: 1e-6, figures: { 'p99 ms': perSecond / 100 } }))
const surroundings = {
  ...{ takenAt: '', commit: '', cpu: '', cores: 2, memoryGb: 1, loadBefore: 0, servers: '', versions: {} },
}

const [ours, peer] = [contender('tally'), contender('peer')]
function report(...bars: Bar[]) {
  const benchmark: Benchmark = {
    ...{ name: 'b', what: '', unit: 'events/s', events: { usual: 1, quick: 1 } },
    contenders: [ours, peer],
    bars,
  }
  const measured = [
    { contender: ours, events: 10, repeats: repeats(300, 100, 200) },
    { contender: peer, events: 10, repeats: repeats(50, 40, 60, 30) },
  ]
  return summarize(benchmark, measured, surroundings)
}

test('the median of an even number of values is the mean of the middle two', () => {
  expect(spreadOf([50, 40, 60, 30])).toEqual({ lowest: 30, median: 45, highest: 60, values: [50, 40, 60, 30] })
})

test('ratios are ratios of medians', () => {
  expect(report().results.map(({ ratio }) => ratio)).toEqual([1, 200 / 45])
})

test.each<[string, Bar, boolean, string]>([
  ['a rate', { atLeast: 200 }, true, 'met: tally 200 events/s, the bar is at least 200'],
  ['a rate too low', { atLeast: 201 }, false, 'NOT MET: tally 200 events/s, the bar is at least 201'],
  ['a ratio', { against: 'peer', atLeast: 4.4 }, true, 'met: tally 4.44 × peer, the bar is at least 4.4'],
  ['a figure', { figure: 'p99 ms', atMost: 1.9 }, false, 'NOT MET: tally 2 p99 ms, the bar is at most 1.9'],
  [
    'a ratio of figures of another',
    { contender: 'peer', figure: 'p99 ms', against: 'tally', atLeast: 0.2, atMost: 0.3 },
    true,
    'met: peer 0.225 × tally in p99 ms, the bar is at least 0.2 and at most 0.3',
  ],
])('judges %s', (_, bar, met, sentence) => {
  const verdict = report(bar).verdicts[0]!
  expect(verdict.met).toBe(met)
  expect(sentenceOf(verdict, 'events/s')).toBe(sentence)
})

test('a figure that was not measured meets no bar', () => {
  expect(report({ figure: 'p50 ms', atMost: 1 }).verdicts[0]?.met).toBe(false)
})
