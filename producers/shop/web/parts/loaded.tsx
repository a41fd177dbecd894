import type { ReactNode } from 'react'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import type { Reading } from '../api/reading.ts'
import { useWords } from '../texts/texts.tsx'

interface LoadedProps<T> {
  readonly reading: Reading<T>
  readonly onAgain: () => void
  readonly children: (data: T) => ReactNode
}

/** What depends on a reading: loading, broken or there. It reads again by itself; the button is for the impatient. */
export function Loaded<T>({ reading: { data, problem }, onAgain, children }: LoadedProps<T>) {
  const { t, trouble } = useWords()
  if (data !== undefined) return children(data)
  if (!problem)
    return (
      <p className="loading" role="status">
        {t.loading}
      </p>
    )
  return (
    <Notice kind="bad" title={trouble(problem)}>
      <button type="button" onClick={onAgain}>
        {t.again}
      </button>
    </Notice>
  )
}
