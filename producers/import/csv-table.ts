import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { TallyError } from '../../infra/errors.ts'
import { whyUnreadable } from '../../infra/why-unreadable.ts'
import { compare, one, parseDecimal, zero } from './decimal.ts'
import type { Decimal } from './decimal.ts'

/** A fault in a row, for the operator who must correct it. */
export interface RowProblem {
  file: string
  /** Line of the file on which the row begins, from 1. */
  line: number
  column?: string
  message: string
}

export interface CsvTable {
  rows: readonly CsvRow[]
  /** Grows while the rows are read. */
  problems: RowProblem[]
}

/**
 * Reads a UTF-8 CSV file with a header. Other columns are ignored; a column that occurs twice counts once and must have the
 * same values both times.
 * @throws TallyError USAGE when the file cannot be read, is no CSV, or lacks a column
 */
export function readCsv(path: string, requiredColumns: readonly string[]): CsvTable {
  const file = basename(path)
  const [header, ...records] = parseRecords(path, file)
  if (!header) throw new TallyError('USAGE', `${file} is empty: its first line must name the columns`)
  const missing = requiredColumns.filter((column) => !header.fields.includes(column))
  if (missing.length > 0) throw new TallyError('USAGE', `${file} line ${header.line}: no column ${missing.join(', ')}`)

  const problems: RowProblem[] = []
  return { rows: records.map((record) => new CsvRow(file, header.fields, record, problems)), problems }
}

interface CsvRecord {
  fields: string[]
  line: number
}

function parseRecords(path: string, file: string): CsvRecord[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
    // The type of the result depends on `info`, which the typings omit
    const records = parse(text, { info: true, relaxColumnCount: true, skipEmptyLines: true }) as unknown as {
      record: string[]
      info: { lines: number }
    }[]
    return records.map(({ record: fields, info }) => {
      const linesWithin = fields.reduce((sum, field) => sum + (field.match(/\r\n|\r|\n/g)?.length ?? 0), 0)
      return { fields, line: info.lines - linesWithin }
    })
  } catch (error) {
    if (error instanceof CsvError) throw new TallyError('USAGE', `${file} is not a CSV file: ${error.message}`)
    throw new TallyError('USAGE', `Cannot read ${path}: ${whyUnreadable(error)}`)
  }
}

/** One row. A wrong value is reported as a problem and read as undefined. */
export class CsvRow {
  readonly file: string
  readonly line: number
  private readonly values = new Map<string, string>()
  private readonly problems: RowProblem[]
  /** The number of fields is wrong, so any field may belong to another column: report nothing further. */
  private readonly broken: boolean = false

  constructor(file: string, header: readonly string[], { line, fields }: CsvRecord, problems: RowProblem[]) {
    this.file = file
    this.line = line
    this.problems = problems
    if (fields.length !== header.length) {
      problems.push({ file, line, message: `${fields.length} fields, but the header has ${header.length}` })
      this.broken = true
    }
    for (const [index, column] of header.entries()) {
      const value = fields[index]?.trim() ?? ''
      const before = this.values.get(column)
      if (before !== undefined && before !== value)
        this.problem(column, `"${before}" in one column, "${value}" in the other`)
      this.values.set(column, value)
    }
  }

  problem(column: string, message: string): undefined {
    if (!this.broken) this.problems.push({ file: this.file, line: this.line, column, message })
  }

  /** Empty if the file has no such column. */
  text(column: string): string {
    return this.values.get(column) ?? ''
  }

  requiredText(column: string): string | undefined {
    return this.text(column) || this.problem(column, 'is empty')
  }

  integer(column: string, min: number, max: number): number | undefined {
    const text = this.text(column)
    if (!/^-?\d{1,16}$/.test(text)) return this.problem(column, `"${text}" is not a whole number`)
    const value = Number(text)
    if (value < min) return this.problem(column, `${text} is less than ${min}`)
    return value <= max ? value : this.problem(column, `${text} is more than ${max}`)
  }

  decimal(column: string): Decimal | undefined {
    const text = this.text(column)
    const value = parseDecimal(text)
    if (!value) return this.problem(column, `"${text}" is not a decimal number`)
    return value.digits < 0n ? this.problem(column, `${text} is negative`) : value
  }

  /** Between 0 and 1; 0 if empty. */
  share(column: string): Decimal | undefined {
    if (this.text(column) === '') return zero
    const value = this.decimal(column)
    return value && compare(value, one) > 0 ? this.problem(column, `${this.text(column)} is more than 1`) : value
  }

  /** A day such as 1996-07-04, as UTC epoch ms of its beginning; null if empty. */
  day(column: string): number | null | undefined {
    const text = this.text(column)
    if (text === '') return null
    const time = Date.parse(`${text}T00:00:00Z`)
    // Compare the prefix, because 30 February parses as 1 March
    const isDay = text.length === 10 && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
    return isDay ? time : this.problem(column, `"${text}" is not a day like 1996-07-04`)
  }
}
