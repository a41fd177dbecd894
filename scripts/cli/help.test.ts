import { describe, expect, test } from '@jest/globals'
import type { Command } from 'commander'
import { benchCommand } from '../bench.ts'
import { chaosCommand } from '../chaos.ts'
import { consoleCommand } from '../console.ts'
import { demoCommand } from '../demo.ts'
import { deployCommand } from '../deploy.ts'
import { tokenCommand } from '../token.ts'
import { doctorCommand } from '../doctor.ts'
import { generateCommand } from '../generate.ts'
import { importCommand } from '../import.ts'
import { lanesCommand } from '../lanes.ts'
import { mutateCommand } from '../mutate.ts'
import { ordersCommand } from '../orders.ts'
import { parkedCommand } from '../parked.ts'
import { partitionsCommand } from '../partitions.ts'
import { produceCommand } from '../produce.ts'
import { replayCommand } from '../replay.ts'
import { scaleCommand } from '../scale.ts'
import { secretsCommand } from '../secrets.ts'
import { simulateCommand } from '../simulate.ts'
import { stackCommand } from '../stack.ts'
import { startCommand } from '../start.ts'
import { traceCommand } from '../trace.ts'
import { verifyCommand } from '../verify.ts'

const frame = { signal: new AbortController().signal }
const programs = [
  ...[
    benchCommand,
    chaosCommand,
    consoleCommand,
    demoCommand,
    deployCommand,
    doctorCommand,
    generateCommand,
    importCommand,
    lanesCommand,
    tokenCommand,
  ],
  ...[mutateCommand, ordersCommand, parkedCommand, partitionsCommand, produceCommand, replayCommand, scaleCommand],
  ...[secretsCommand, simulateCommand, stackCommand, startCommand, traceCommand, verifyCommand],
].map((build) => build(frame))

const pages = programs.flatMap((program) =>
  [program, ...program.commands].map((command) => {
    const name = command === program ? program.name() : `${program.name()} ${command.name()}`
    return [name, command] as const
  }),
)

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp()
  return text
}

describe.each(pages)('%s --help', (_name, command) => {
  const help = helpOf(command)

  test('fits 80 columns', () => expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]))
  test('begins with what the command does, in one line', () =>
    expect(command.description()).toMatch(/^[A-Z][a-z]+,? [^\n]{10,90}[^.\n]$/))
  test('names the options that the command requires', () => {
    const text = help.replace(/\s+/g, ' ')
    for (const { flags, description } of command.options.filter(({ mandatory }) => mandatory))
      expect(text).toMatch(new RegExp(`${flags} ${description}[^-]* \\(required\\)`))
  })
  test('ends with one to six examples', () => {
    const [, examples = ''] = help.split('\nExamples:\n')
    expect(examples).toMatch(/^ {2}.*npm (run|start)/m)
    expect(examples.match(/^ {2}(?! )(?!#)/gm)?.length).toBeLessThanOrEqual(6)
  })
})
