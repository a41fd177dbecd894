import { age } from '../../consumers/operations/age.ts'
import type { RowChange } from '../../consumers/operations/record-changes.ts'
import type { TableChange } from '../../consumers/operations/written-rows.ts'
import { cut, printable } from './printable.ts'
import type { NewCall, NewTimer } from '../../consumers/runtime/model.ts'

/** JSON of something, on one line of bounded length. */
export const short = (value: unknown): string => cut(printable(JSON.stringify(value)), 400)

/** What would become of rows. @param what `state of`, `shared row` */
export const changeLines = (what: string, rows: readonly RowChange[]): string[] =>
  rows.flatMap(({ id, before, after }) => [
    `  ${what} ${printable(id)}`,
    `    before ${before === undefined ? 'none' : short(before)}`,
    `    after  ${short(after)}`,
  ])

export const callLine = ({ kind, request }: NewCall): string => `call ${kind}: ${short(request)}`

export const timerLine = ({ kind, afterMs }: NewTimer): string => `timer ${kind}, due in ${age(afterMs)}`

export const tableLine = ({ table, inserted, updated, deleted }: TableChange): string =>
  `table ${table}: +${inserted} ~${updated} -${deleted}`
