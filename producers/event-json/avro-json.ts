import { TallyError } from '../../infra/errors.ts'
import type { AvroType, RecordType } from '../../schemas/avro-schema.ts'

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A short number as it stands; anything else may hold what a customer says, and this goes into errors and logs. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return /^[\d.,+-]{1,12}$/.test(value) ? `"${value}"` : 'a text'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return JSON.stringify(value)
}

/**
 * Reads a JSON value by a schema, with two liberties: 64-bit integers may be strings, and unions name no branch.
 * @param faults receives what does not fit, each with its path
 */
export function readAvroJson(type: AvroType, value: unknown, path: string, faults: string[]): unknown {
  const wrong = (expected: string) => void faults.push(`${path} is ${shown(value)}: not ${expected}`)
  switch (type.kind) {
    case 'record':
      return isObject(value) ? readFields(type, value, path, faults) : wrong('an object')
    case 'array':
      if (!Array.isArray(value)) return wrong('an array')
      return value.map((item, index) => readAvroJson(type.items, item, `${path}[${index}]`, faults))
    case 'map':
      if (!isObject(value)) return wrong('an object')
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, readAvroJson(type.values, item, `${path}.${key}`, faults)]),
      )
    case 'union':
      return readUnion(type.branches, value, path, faults)
    case 'enum':
      return type.symbols.includes(value as string) ? value : wrong(`one of ${type.symbols.join(', ')}`)
    case 'int':
    case 'long': {
      const number =
        typeof value === 'string' && /^-?\d{1,16}$/.test(value) && type.kind === 'long' ? Number(value) : value
      const fits = Number.isSafeInteger(number) && (type.kind === 'long' || ((number as number) | 0) === number)
      return fits
        ? number
        : wrong(type.kind === 'int' ? 'a whole number of 32 bits' : 'a whole number, exact in 53 bits')
    }
    case 'float':
    case 'double':
      return typeof value === 'number' ? value : wrong('a number')
    case 'string':
    case 'boolean':
      return typeof value === type.kind ? value : wrong(`a ${type.kind}`)
    case 'null':
      return value === null ? null : wrong('null')
    case 'bytes':
    case 'fixed':
      throw new TallyError('INVARIANT', `${path}: ${type.kind} has no JSON notation here`)
  }
}

function readFields({ fields }: RecordType, value: JsonObject, path: string, faults: string[]): JsonObject {
  const known = new Set(fields.map(({ name }) => name))
  for (const name of Object.keys(value)) if (!known.has(name)) faults.push(`${path}.${name} is not known`)
  const entries = fields
    .filter(({ name, default: fallback }) => name in value || fallback === undefined)
    .map(({ name, type }) => [name, readAvroJson(type, value[name], `${path}.${name}`, faults)])
  return Object.fromEntries(entries)
}

/** The first branch that the value fits; unlike in Avro's JSON the branch is not named. */
function readUnion(branches: readonly AvroType[], value: unknown, path: string, faults: string[]): unknown {
  const attempts = branches.map((branch) => {
    const found: string[] = []
    return { value: readAvroJson(branch, value, path, found), found }
  })
  const fitting = attempts.find(({ found }) => found.length === 0)
  if (!fitting) faults.push(...(attempts.at(-1)?.found ?? []))
  return fitting?.value
}
