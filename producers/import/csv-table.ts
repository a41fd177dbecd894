import { basename } from 'node:path'
import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { TallyError } from '../../infra/errors.ts'
import { readTextFile } from '../../infra/text/read-text.ts'
import { readTime } from '../../schemas/time.ts'
import { compare, one, parseDecimal, zero } from './decimal.ts'
import type { Decimal } from './decimal.ts'

/** A fault in a row, for the operator who must correct it. */
export interface RowProblem {
  file: string
  /** Line of the file on which the row begins, from 1. */
  line: number
  column?: string
  message: string
  /** The message without the row's own values, to count rows of the same kind. @default message */
  cause?: string
}

export interface CsvTable {
  rows: readonly CsvRow[]
  /** Grows while the rows are read. */
  problems: RowProblem[]
}

export interface TableNotations {
  /** The offset of times that have none, such as `+02:00`; without it such times are refused. */
  offset?: string
}

/** What separates the fields of a file is found by its header. */
const separators = [',', ';', '\t', '|'] as const

/**
 * Reads a UTF-8 table with a header; its separator and its line ends (LF, CRLF or CR, also mixed) are found. Other columns are
 * ignored; a column that occurs twice counts once and must have the same values both times.
 * @param required columns that the file must have, each with alternatives
 * @throws TallyError USAGE when the file cannot be read, is no table, or lacks a column
 */
export function readCsv(
  path: string,
  required: readonly (readonly string[])[],
  notations: TableNotations = {},
): CsvTable {
  const file = basename(path)
  const text = readTextFile(path)
  const separator = separatorOf(text, required.flat())
  const [header, ...records] = parseRecords(text, separator, file)
  if (!header) throw new TallyError('USAGE', `${file} is empty: its first line must name the columns`)
  const names = header.fields.map((name) => name.trim())
  const parts = new Set(names)
  const missing = required.filter((alternatives) => !alternatives.some((name) => hasColumns(parts, name)))
  if (missing.length > 0) {
    const lacking = missing.map((alternatives) => alternatives.join(' or ')).join(', ')
    throw new TallyError(
      'USAGE',
      `${file} line ${header.line}: no column ${lacking}. Its columns are ${names.join(', ')}: name those to read with --columns, or a preset (shopify, woocommerce)`,
    )
  }
  const problems: RowProblem[] = []
  const context = { file, header: names, problems, notations, decimalComma: separator !== ',' }
  return { rows: records.map((record) => new CsvRow(context, record)), problems }
}

const hasColumns = (header: ReadonlySet<string>, name: string): boolean =>
  joined(name).every((part) => header.has(part))

/** `first_name+last_name` is two columns, joined by a blank. */
const joined = (name: string): string[] => name.split('+').map((part) => part.trim())

/** The separator with which the header names most of the columns sought, else most columns. */
function separatorOf(text: string, sought: readonly string[]): string {
  const wanted = new Set(sought.flatMap(joined))
  const scores = separators.map((separator) => {
    const header = headerOf(text, separator)
    return { separator, score: header.filter((name) => wanted.has(name.trim())).length * 1_000 + header.length }
  })
  return scores.reduce((best, each) => (each.score > best.score ? each : best)).separator
}

function headerOf(text: string, separator: string): string[] {
  try {
    const [header = []] = parse(text, { ...dialect, delimiter: separator, to: 1 }) as string[][]
    return header
  } catch {
    return [] // Quotes that this separator does not end; parsing the whole file says what is wrong
  }
}

const dialect = { relaxColumnCount: true, skipEmptyLines: true, recordDelimiter: ['\r\n', '\n', '\r'] }

interface CsvRecord {
  fields: string[]
  line: number
}

function parseRecords(text: string, separator: string, file: string): CsvRecord[] {
  try {
    // The type of the result depends on `info`, which the typings omit
    const records = parse(text, { ...dialect, delimiter: separator, info: true }) as unknown as {
      record: string[]
      info: { lines: number }
    }[]
    return records.map(({ record: fields, info }) => {
      const linesWithin = fields.reduce((sum, field) => sum + (field.match(/\r\n|\r|\n/g)?.length ?? 0), 0)
      return { fields, line: info.lines - linesWithin }
    })
  } catch (error) {
    if (error instanceof CsvError) throw new TallyError('USAGE', `${file} is not a CSV file: ${error.message}`)
    throw error
  }
}

interface RowContext {
  file: string
  header: readonly string[]
  problems: RowProblem[]
  notations: TableNotations
  /** Whether 9,80 is 9.8: only where the comma separates no fields. */
  decimalComma: boolean
}

/** One row. A wrong value is reported as a problem and read as undefined. */
export class CsvRow {
  readonly file: string
  readonly line: number
  private readonly values = new Map<string, string>()
  private readonly context: RowContext
  /** The number of fields is wrong, so any field may belong to another column: report nothing further. */
  private readonly broken: boolean = false

  constructor(context: RowContext, { line, fields }: CsvRecord) {
    const { file, header, problems } = context
    this.file = file
    this.line = line
    this.context = context
    if (fields.length !== header.length) {
      problems.push({ file, line, message: `${fields.length} fields, but the header has ${header.length}` })
      this.broken = true
    }
    for (const [index, column] of header.entries()) {
      const value = fields[index]?.trim() ?? ''
      const before = this.values.get(column)
      if (before !== undefined && before !== value) this.problem(column, 'two columns of one name differ')
      this.values.set(column, value)
    }
  }

  problem(column: string, message: string, cause?: string): undefined {
    if (this.broken) return
    this.context.problems.push({
      file: this.file,
      line: this.line,
      column,
      message,
      ...(cause !== undefined && { cause }),
    })
  }

  /** Empty if the file has no such column. `first+last` joins two columns by a blank. */
  text(column: string): string {
    return joined(column)
      .map((part) => this.values.get(part) ?? '')
      .filter((part) => part !== '')
      .join(' ')
  }

  /** The first of some columns that has a value, and its name; else an empty text and the name of the first column. */
  first(columns: readonly string[] = []): [text: string, column: string] {
    const column = columns.find((name) => this.text(name) !== '') ?? columns[0] ?? ''
    return [this.text(column), column]
  }

  requiredText(column: string): string | undefined {
    return this.text(column) || this.problem(column, 'is empty')
  }

  integer(column: string, min: number, max: number): number | undefined {
    const text = this.text(column)
    if (!/^-?\d{1,16}$/.test(text)) return this.wrong(column, text, 'is not a whole number')
    const value = Number(text)
    if (value < min) return this.problem(column, `${text} is less than ${min}`, `is less than ${min}`)
    return value <= max ? value : this.problem(column, `${text} is more than ${max}`, `is more than ${max}`)
  }

  decimal(column: string): Decimal | undefined {
    const text = this.text(column)
    if (this.context.decimalComma && /^-?\d+,\d{3}$/.test(text))
      return this.wrong(column, text, 'may be thousands or thousandths: write it with a point')
    const value = parseDecimal(this.context.decimalComma ? text.replace(',', '.') : text)
    if (!value) return this.wrong(column, text, 'is not a decimal number')
    return value.digits < 0n ? this.problem(column, `${text} is negative`, 'is negative') : value
  }

  /** Between 0 and 1; 0 if empty. */
  share(column: string): Decimal | undefined {
    if (this.text(column) === '') return zero
    const value = this.decimal(column)
    return value && compare(value, one) > 0
      ? this.problem(column, `${this.text(column)} is more than 1`, 'is more than 1')
      : value
  }

  /**
   * A day such as 1996-07-04, as UTC epoch ms of its beginning, or a time with an offset; null if empty. Exports write
   * `2026-03-01 18:00:00 -0500` for RFC 3339.
   */
  time(column: string): number | null | undefined {
    const text = this.text(column)
    if (text === '') return null
    const { offset } = this.context.notations
    if (/^\d{4}-\d\d-\d\d$/.test(text)) {
      const day = readTime(`${text}T00:00:00${offset ?? 'Z'}`)
      return day.fault === undefined ? day.time : this.wrong(column, text, 'is not a day like 1996-07-04')
    }
    const plain = text.replace(/ ?(?:UTC|GMT)$/, 'Z').replace(/ ?([+-]\d\d):?(\d\d)$/, '$1:$2')
    const naive = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(plain)
    const { time, fault } = readTime(naive && offset !== undefined ? plain + offset : plain)
    if (time !== undefined) return time
    if (naive) return this.wrong(column, text, 'has no offset: add --offset, such as --offset +02:00')
    return this.wrong(
      column,
      text,
      fault?.startsWith('is neither') ? 'is not a day like 1996-07-04 or a time with an offset' : String(fault),
    )
  }

  private wrong(column: string, text: string, cause: string): undefined {
    return this.problem(column, `"${text}" ${cause}`, cause)
  }
}
