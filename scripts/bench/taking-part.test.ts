import { expect, test } from '@jest/globals'
import type { Benchmark, Contender } from './benchmark.ts'
import { takingPart } from './taking-part.ts'

const contender = (name: string, more: Partial<Contender> = {}): Contender => ({
  ...{ name, setup: '', ...more },
  measure: () => Promise.reject(new Error('not run')),
})

const benchmark: Benchmark = {
  ...{ name: 'b', what: '', unit: 'events/s', events: { usual: 1, quick: 1 } },
  contenders: [
    contender('tally'),
    contender('peer'),
    contender('large', { large: true }),
    contender('absent', { missing: () => 'It is not installed: npm install it' }),
  ],
  bars: [{ atLeast: 1 }, { against: 'peer', atLeast: 1 }, { against: 'absent', atLeast: 1 }],
}

function choose(options: Parameters<typeof takingPart>[1]) {
  const said: string[] = []
  const { contenders, bars } = takingPart(benchmark, options, (line) => said.push(line))
  return { names: contenders.map(({ name }) => name), against: bars?.map(({ against }) => against), said }
}

test('all take part that have what they need, and who is left out is told', () => {
  expect(choose({})).toEqual({
    names: ['tally', 'peer', 'large'],
    against: [undefined, 'peer'],
    said: ['b without absent. It is not installed: npm install it'],
  })
})

test('a quick run leaves out the large ones', () => {
  expect(choose({ quick: true }).names).toEqual(['tally', 'peer'])
  expect(choose({ quick: true, only: ['tally', 'large'] }).names).toEqual(['tally', 'large'])
})

test('our bars are not judged by the figures of another', () => {
  expect(choose({ only: ['peer'] }).against).toEqual([])
})

test('a named contender that lacks something is an error that says how to get it', () => {
  expect(() => choose({ only: ['absent'] })).toThrow('npm install it')
  expect(() => choose({ only: ['nobody'] })).toThrow('b has no contender "nobody"')
})
