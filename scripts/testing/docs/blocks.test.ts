import { expect, test } from '@jest/globals'
import { blocksOf, proseOf, whyNotRun } from './blocks.ts'

const page = [
  '# Page',
  '<!-- given: a parked event -->',
  '```sh',
  'npm run verify',
  '```',
  'between',
  '```sh no-run: takes ten minutes',
  'npm run chaos',
  '',
  'npm test',
  '```',
  'after',
].join('\n')

test('a block has its line, its language and its precondition', () => {
  const blocks = blocksOf('page.md', page)
  expect(blocks.map(({ line, language, given, text }) => ({ line, language, given, text }))).toEqual([
    { line: 3, language: 'sh', given: 'a parked event', text: 'npm run verify' },
    { line: 7, language: 'sh', given: undefined, text: 'npm run chaos\n\nnpm test' },
  ])
  expect(blocks.map(whyNotRun)).toEqual([undefined, 'takes ten minutes'])
})

test('the prose keeps its line numbers', () => {
  const prose = proseOf('page.md', page).split('\n')
  expect(prose).toHaveLength(page.split('\n').length)
  expect(prose.filter((line) => line !== '')).toEqual(['# Page', '<!-- given: a parked event -->', 'between', 'after'])
})

test('a block that is not closed is an error', () => {
  expect(() => blocksOf('page.md', '```sh\nnpm test')).toThrow('page.md:1: the block is not closed')
})
