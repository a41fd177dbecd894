import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { settingsPage } from '../infra/settings-page.ts'
import { loadSchemas } from '../schemas/load-schemas.ts'
import { toTypeScript } from '../schemas/typescript.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'

const outputs = [
  { file: 'schemas/generated/events.ts', from: 'schemas/avro', textOf: () => toTypeScript(loadSchemas()) },
  { file: 'docs/configuration.md', from: 'infra/settings.ts', textOf: settingsPage },
] as const

const pathOf = (file: string): string => resolve(import.meta.dirname, '..', file)

export const generateCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'generate',
    'Generate the TypeScript types of the schemas and the page of settings',
    ['npm run generate', 'npm run generate -- --check'],
    `Writes ${outputs.map(({ file }) => file).join(' and ')}.`,
  )
    .option('--check', 'write nothing; exit code 1 if a generated file is stale')
    .action(({ check, json }: CommonOptions & { check?: boolean }) => {
      const stale = outputs.filter(({ file, textOf }) => read(pathOf(file)) !== textOf())
      if (!check) for (const { file, textOf } of stale) writeFileSync(pathOf(file), textOf())
      else if (stale.length > 0) process.exitCode = 1
      if (json) printJson({ stale: stale.map(({ file }) => file) })
      else if (check)
        for (const { file, from } of stale)
          say(`${file} does not match ${from}: run \`npm run generate\` and commit the result`)
    })

if (import.meta.main) await runCommand(generateCommand, { ofRunningStack: false })

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
