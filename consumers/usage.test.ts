import { expect, test } from '@jest/globals'
import { consumerFolders } from './runtime/load-consumer.ts'
import { consumerHelp, consumerUsageError } from './usage.ts'

test('the help fits 80 columns, names every consumer and ends with examples', () => {
  const help = consumerHelp(consumerFolders())
  expect(help.split('\n').filter((line) => line.length > 80)).toEqual([])
  for (const name of consumerFolders()) expect(help).toContain(`\n              ${name}\n`)
  expect(help).toMatch(/\nExamples:\n {2}npm run consumer -- payment\n/)
})

test.each([
  ['', 'Name the consumer to run: there are inventory, payment\n'],
  ['pyament', 'No consumer "pyament": there are inventory, payment\n'],
])('a wrong name, "%s", gets those that there are', (name, sentence) =>
  expect(consumerUsageError(name, ['inventory', 'payment'])).toMatch(sentence),
)
