/** An array as a statement's parameter; pg asks it for its text when it sends the statement. */
export class ArrayParameter {
  readonly values: readonly unknown[]

  constructor(values: readonly unknown[]) {
    this.values = values
  }

  toPostgres(prepareValue: (value: unknown) => unknown): unknown {
    return arrayLiteral(this.values) ?? prepareValue(this.values)
  }
}

/**
 * PostgreSQL's notation of an array, several times as fast as pg's own, which dominates batches of thousands of rows.
 * Source: PostgreSQL, "Array Input and Output Syntax".
 * @returns undefined if the array holds anything but strings, numbers, booleans, bytes, dates and nulls: leave it to pg
 */
export function arrayLiteral(values: readonly unknown[]): string | undefined {
  let literal = ''
  for (const value of values) {
    const element = elementOf(value)
    if (element === undefined) return undefined
    literal += literal === '' ? `{${element}` : `,${element}`
  }
  return literal === '' ? '{}' : `${literal}}`
}

const special = /["\\]/

function elementOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return special.test(value) ? `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${value}"`
    case 'number':
    case 'boolean':
      return String(value)
    case 'undefined':
      return 'NULL'
    default:
  }
  if (value === null) return 'NULL'
  if (value instanceof Date) return dateOf(value)
  return Buffer.isBuffer(value) ? `\\\\x${value.toString('hex')}` : undefined
}

/** Years of four digits: JavaScript and PostgreSQL write them alike. */
const firstTime = Date.parse('0001-01-01T00:00:00Z')
const lastTime = Date.parse('9999-12-31T00:00:00Z')

function dateOf(date: Date): string | undefined {
  const time = date.getTime()
  return time >= firstTime && time <= lastTime ? date.toISOString() : undefined
}
