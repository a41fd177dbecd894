import pg from 'pg'
import type { Transaction } from './transaction.ts'

/**
 * A second implementation of a prepared statement. The fingerprint is that of the SQL it implements: if the SQL changes, the
 * simulation stops with an error.
 */
export interface Statement {
  readonly fingerprint: string
  run(tx: Transaction, values: readonly unknown[]): object[]
}

export type Statements = Readonly<Record<string, Statement>>

/** @param run receives the parameters of the statement in order */
export const statement = <Values extends unknown[]>(
  fingerprint: string,
  run: (tx: Transaction, ...values: Values) => object[],
): Statement => ({ fingerprint, run: (tx, values) => run(tx, ...(values as Values)) })

const fingerprints = new Map<string, string>()

/** FNV-1a over the text without white space, cached by text. */
export function fingerprintOf(text: string): string {
  const fingerprint = fingerprints.get(text) ?? hashOf(text)
  fingerprints.set(text, fingerprint)
  return fingerprint
}

function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (const character of text.replaceAll(/\s+/g, ' ').trim()) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** An error with a SQLSTATE, as pg reports it. */
export function databaseError(code: string, message: string): Error {
  const error = new pg.DatabaseError(message, message.length, 'error')
  error.code = code
  return error
}

export const uniqueViolation = (table: string, key: string): Error =>
  databaseError('23505', `duplicate key value violates unique constraint of "${table}": ${key}`)

export const checkViolation = (table: string, row: object): Error =>
  databaseError('23514', `new row for relation "${table}" violates check constraint: ${JSON.stringify(row)}`)
