import { age } from '../../consumers/operations/age.ts'
import type { RowChange } from '../../consumers/operations/record-changes.ts'
import type { TableChange } from '../../consumers/operations/written-rows.ts'
import { cut, printable } from './printable.ts'
import type { NewCall, NewTimer } from '../../consumers/runtime/model.ts'

/** JSON of something, on one line of bounded length. */
export const short = (value: unknown): string => cut(printable(JSON.stringify(value)), 400)

const fieldsAtMost = 20

/** What would become of rows: of one that exists, the fields that change. @param what `state of`, `shared row` */
export const changeLines = (what: string, rows: readonly RowChange[]): string[] =>
  rows.flatMap(({ id, before, after }) => {
    const title = `  ${what} ${printable(id)}`
    if (before === undefined) return [`${title}: new`, `    ${short(after)}`]
    const fields = changedFields('', json(before), json(after))
    const rest = fields.length - fieldsAtMost
    return [
      `${title}: ${fields.length === 0 ? 'written as it was' : 'changed'}`,
      ...fields.slice(0, fieldsAtMost).map(({ path, from, to }) => `    ${printable(path)}: ${from} → ${to}`),
      ...(rest > 0 ? [`    … and ${rest} more fields`] : []),
    ]
  })

type Json = string | number | boolean | null | Json[] | { [field: string]: Json }

const json = (row: unknown) => JSON.parse(JSON.stringify(row)) as Json

interface ChangedField {
  /** Such as `lines[0].quantity`. */
  readonly path: string
  readonly from: string
  readonly to: string
}

function changedFields(path: string, before: Json | undefined, after: Json | undefined): ChangedField[] {
  if (isParent(before) && isParent(after) && Array.isArray(before) === Array.isArray(after)) {
    const [was, is] = [Object.entries(before), Object.entries(after)].map((entries) => new Map<string, Json>(entries))
    const fields = new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])
    return [...fields].flatMap((field) =>
      changedFields(pathOf(path, field, Array.isArray(after)), was?.get(field), is?.get(field)),
    )
  }
  const [from, to] = [before, after].map((value) => (value === undefined ? 'none' : short(value))) as [string, string]
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, from, to }]
}

const isParent = (value: Json | undefined): value is Json[] | { [field: string]: Json } =>
  typeof value === 'object' && value !== null

const pathOf = (parent: string, field: string, element: boolean): string => {
  if (element) return `${parent}[${field}]`
  return parent === '' ? field : `${parent}.${field}`
}

export const callLine = ({ kind, request }: NewCall): string => `call ${kind}: ${short(request)}`

export const timerLine = ({ kind, afterMs }: NewTimer): string => `timer ${kind}, due in ${age(afterMs)}`

export const tableLine = ({ table, inserted, updated, deleted }: TableChange): string =>
  `table ${table}: +${inserted} ~${updated} -${deleted}`
