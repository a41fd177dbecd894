import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfig } from '../../../infra/config.ts'
import { isTallyError } from '../../../infra/errors.ts'
import { fetchedJars } from '../../../infra/stack/servers/jars.ts'
import { findJdk } from '../../../infra/stack/servers/java.ts'

/** What Apache Avro for Java makes of a pair: whether its compatibility check passes, and each value: `!` and the reason
 * if it cannot be read. */
export interface Answer {
  compatible: boolean
  values: string[]
}

export interface Question {
  reader: object
  writer: object
  values: readonly Buffer[]
}

/** Asks the library that comes with the schema registry; undefined if Java or the library is missing. */
export function askApacheAvro(questions: readonly Question[]): Answer[] | undefined {
  const java = findJava()
  const jars = fetchedJars()
  if (java === undefined || jars === undefined) return undefined
  const classPath = join(dirname(jars.registry), 'lib', 'main', '*')
  if (!existsSync(dirname(classPath))) return undefined
  const input = questions.map(({ reader, writer, values }) => {
    const texts = values.map((value) => `=${value.toString('base64')}`)
    return [JSON.stringify(reader), JSON.stringify(writer), ...texts].join('\t')
  })
  const args = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath]
  const output = execFileSync(java, [...args, join(import.meta.dirname, 'Resolve.java')], {
    input: `${input.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return output
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [verdict = '', ...values] = line.split('\t')
      if (verdict.startsWith('REFUSED')) throw new Error(verdict)
      return { compatible: verdict === 'COMPATIBLE', values }
    })
}

function findJava(): string | undefined {
  try {
    return findJdk(loadConfig().java).java
  } catch (error) {
    if (isTallyError(error, 'TOOL_MISSING')) return undefined
    throw error
  }
}

/** A value in the notation of Resolve.java: numbers by their bits, texts and bytes in hexadecimal, fields by name. */
export function textOf(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `s${Buffer.from(value).toString('hex')}`
  if (Buffer.isBuffer(value)) return `b${value.toString('hex')}`
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return `n${bytes.readBigUInt64BE().toString(16)}`
  }
  if (Array.isArray(value)) return `[${value.map((item) => `${textOf(item)},`).join('')}]`
  const texts = new Map(Object.entries(value as object).map(([key, inner]) => [textOf(key), textOf(inner)]))
  return `{${[...texts.keys()]
    .toSorted()
    .map((key) => `${key}=${texts.get(key)}`)
    .join(', ')}}`
}
