import { age } from '../../consumers/operations/age.ts'
import { changedFields } from '../../consumers/operations/parked/read-edit.ts'
import type { RowChange } from '../../consumers/operations/record-changes.ts'
import type { TableChange } from '../../consumers/operations/written-rows.ts'
import { cut, printable } from './printable.ts'
import type { NewCall, NewTimer } from '../../consumers/runtime/model.ts'

/** As it is stored: without what JSON does not have. */
const json = (row: unknown): unknown => JSON.parse(JSON.stringify(row))

/** JSON of something, on one line of bounded length. */
export const short = (value: unknown): string => cut(printable(JSON.stringify(value)), 400)

const fieldsAtMost = 20

/** What would become of rows: of one that exists, the fields that change. @param what `state of`, `shared row` */
export const changeLines = (what: string, rows: readonly RowChange[]): string[] =>
  rows.flatMap(({ id, before, after }) => {
    const title = `  ${what} ${printable(id)}`
    if (before === undefined) return [`${title}: new`, `    ${short(after)}`]
    const fields = changedFields(json(before), json(after), (value) => (value === undefined ? 'nothing' : short(value)))
    const rest = fields.length - fieldsAtMost
    return [
      `${title}: ${fields.length === 0 ? 'written as it was' : 'changed'}`,
      ...fields.slice(0, fieldsAtMost).map((field) => `    ${printable(field)}`),
      ...(rest > 0 ? [`    … and ${rest} more fields`] : []),
    ]
  })

export const callLine = ({ kind, request }: NewCall): string => `call ${kind}: ${short(request)}`

export const timerLine = ({ kind, afterMs }: NewTimer): string => `timer ${kind}, due in ${age(afterMs)}`

export const tableLine = ({ table, inserted, updated, deleted }: TableChange): string =>
  `table ${table}: +${inserted} ~${updated} -${deleted}`
