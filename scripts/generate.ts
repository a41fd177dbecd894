import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { program } from 'commander'
import { describeError } from '../infra/errors.ts'
import { settingsPage } from '../infra/settings-page.ts'
import { loadSchemas } from '../schemas/load-schemas.ts'
import { toTypeScript } from '../schemas/typescript.ts'

const outputs = [
  { file: 'schemas/generated/events.ts', from: 'schemas/avro', textOf: () => toTypeScript(loadSchemas()) },
  { file: 'docs/configuration.md', from: 'infra/settings.ts', textOf: settingsPage },
] as const

const { check } = program
  .name('npm run generate --')
  .description(
    'Generate the TypeScript types of schemas/avro/*.avsc (schemas/generated/events.ts) and the page of settings\n' +
      '(docs/configuration.md).',
  )
  .option('--check', 'write nothing; exit with 1 if a generated file is stale')
  .addHelpText('after', '\nExamples:\n  npm run generate\n  npm run generate -- --check')
  .parse()
  .opts<{ check?: boolean }>()

try {
  for (const { file, from, textOf } of outputs) {
    const path = resolve(import.meta.dirname, '..', file)
    const text = textOf()
    if (!check) writeFileSync(path, text)
    else if (read(path) !== text) {
      console.error(`${file} does not match ${from}: run npm run generate and commit the result`)
      process.exitCode = 1
    }
  }
} catch (error) {
  console.error(describeError(error))
  process.exitCode = 1
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
