import { expect, test } from '@jest/globals'
import { npmCommandsIn, optionsIn, subcommandIn } from './npm-commands.ts'

test.each([
  ['npm ci', [{ script: 'ci', words: [] }]],
  ['npm run verify   # is it true?', [{ script: 'verify', words: [] }]],
  [
    `npm run lanes -- pause payment --why "the gateway; it moves"`,
    [{ script: 'lanes', words: ['pause', 'payment', '--why', 'the gateway; it moves'] }],
  ],
  [
    `npm run -s produce -- OrderPlaced --dry-run | npm run produce -- - --via api`,
    [
      { script: 'produce', words: ['OrderPlaced', '--dry-run'] },
      { script: 'produce', words: ['-', '--via', 'api'] },
    ],
  ],
  [
    'npm run replay -- plan \\\n  --mode copy\nnpm run replay -- list',
    [
      { script: 'replay', words: ['plan', '--mode', 'copy'] },
      { script: 'replay', words: ['list'] },
    ],
  ],
  ['npm view kafkajs', []],
])('the commands in %j', (shell, commands) => {
  expect(npmCommandsIn(shell)).toEqual(commands)
})

test('options and subcommands', () => {
  expect(optionsIn(['ls', '--key=o-1', '-n', '5', '--all'])).toEqual(['--key', '--all'])
  expect(subcommandIn(['ls', '--all'])).toBe('ls')
  expect(subcommandIn(['payment=3'])).toBeUndefined()
  expect(subcommandIn([])).toBeUndefined()
})
