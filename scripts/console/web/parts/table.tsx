import type { ReactNode } from 'react'
import { navigate } from '../../../../infra/web/client/router.tsx'

/** A heading; `number` columns are aligned to the right. */
export type Column = string | { readonly head: ReactNode; readonly number?: true; readonly sort?: 'descending' }

/** A heading over numbers. */
export const number = (head: string): Column => ({ head, number: true })

interface TableProps {
  /** Name of the region, which scrolls by itself where the page is narrow. */
  readonly label: string
  readonly columns: readonly Column[]
  /** Rows. */
  readonly children: ReactNode
}

export function Table({ label, columns, children }: TableProps) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table className="rows">
        <Head columns={columns} />
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

export const Head = ({ columns }: { columns: readonly Column[] }) => (
  <thead>
    <tr>
      {columns.map((column, index) => {
        const { head, number: isNumber, sort } = typeof column === 'string' ? { head: column } : column
        return (
          <th key={index} scope="col" className={isNumber ? 'number' : undefined} aria-sort={sort}>
            {head}
          </th>
        )
      })}
    </tr>
  </thead>
)

interface PagerProps {
  readonly label: string
  /** Whether this is not the first page. */
  readonly isLater: boolean
  /** Address of the next page, if there is one. */
  readonly next: string | undefined
}

/** Moves between pages that the server makes, the newest first. */
export const Pager = ({ label, isLater, next }: PagerProps) => (
  <nav className="pager" aria-label={label}>
    {isLater && (
      <button type="button" onClick={() => history.back()}>
        ← Newer
      </button>
    )}
    {next !== undefined && (
      <button type="button" onClick={() => navigate(next)}>
        Older →
      </button>
    )}
  </nav>
)
