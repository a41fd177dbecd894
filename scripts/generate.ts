import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { program } from 'commander'
import { describeError } from '../infra/errors.ts'
import { loadSchemas } from '../schemas/load-schemas.ts'
import { toTypeScript } from '../schemas/typescript.ts'

const file = 'schemas/generated/events.ts'
const path = resolve(import.meta.dirname, '..', file)

const { check } = program
  .name('npm run generate --')
  .description(`Writes ${file}: the TypeScript types of schemas/avro/*.avsc`)
  .option('--check', 'write nothing, exit with 1 if the file is stale')
  .parse()
  .opts<{ check?: boolean }>()

try {
  const text = toTypeScript(loadSchemas())
  if (!check) writeFileSync(path, text)
  else if (read() !== text) {
    console.error(`${file} does not match schemas/avro: run npm run generate and commit the result`)
    process.exitCode = 1
  }
} catch (error) {
  console.error(describeError(error))
  process.exitCode = 1
}

function read(): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
