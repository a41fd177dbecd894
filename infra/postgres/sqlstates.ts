import pg from 'pg'
import { isTallyError } from '../errors.ts'

/** The error codes of PostgreSQL that code branches on. Source: PostgreSQL, appendix "Error Codes". */
export const sqlState = {
  inFailedTransaction: '25P02',
  invalidPassword: '28P01',
  undefinedDatabase: '3D000',
  deadlockDetected: '40P01',
  undefinedSchema: '3F000',
  duplicateDatabase: '42P04',
  undefinedTable: '42P01',
  insufficientPrivilege: '42501',
  tooManyConnections: '53300',
  lockNotAvailable: '55P03',
  startingUp: '57P03',
} as const

/** Whether PostgreSQL answered with one of these codes. */
export const hasSqlState = (error: unknown, ...states: readonly (keyof typeof sqlState)[]): boolean =>
  error instanceof Error && 'code' in error && states.some((state) => sqlState[state] === error.code)

/**
 * Whether a statement failed because of its values: bad data, a constraint, too long for an index, refused by a trigger.
 * Classes 22, 23 and 54, code P0001.
 */
export const isDataError = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && /^(22|23|54|P0001)/.test(error.code ?? '')

/** Whether the statement itself is at fault: data (22), a constraint (23), syntax or an unknown name (42). */
export const isStatementError = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && /^(22|23|42)/.test(error.code ?? '')

/**
 * Whether the same work may succeed later: the server is unreachable, busy or out of space, or another transaction was in
 * the way. Connection failures of `pg` are bare `Error`s. Classes 08, 25, 40, 53, 55, 57 and 58.
 */
export function isTransient(error: unknown): boolean {
  if (isTallyError(error)) return error.code !== 'INVARIANT'
  if (error instanceof pg.DatabaseError) return /^(08|25|40|53|55|57|58)/.test(error.code ?? '08')
  return error instanceof Error && (error.constructor === Error || 'syscall' in error)
}
