import type { ReactNode } from 'react'
import { clockTime } from '../model/format-time.ts'
import type { Reading } from '../live/live.ts'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { Words } from './words.tsx'

interface PartProps<T> {
  readonly reading: Reading<T>
  /** For the reader: `the orders`. */
  readonly what: string
  readonly children: (data: T) => ReactNode
}

/** A part of a page: loading, broken, stale or there. What was read before stays while the part is away. */
export function Part<T>({ reading: { data, problem, freshAt }, what, children }: PartProps<T>) {
  if (data === undefined)
    return problem ? (
      <Notice kind="bad" title={`Could not read ${what}`}>
        <Words text={problem.detail ?? problem.title ?? ''} />
      </Notice>
    ) : (
      <p className="loading" role="status">
        Reading {what} …
      </p>
    )
  return (
    <>
      {problem && (
        <Notice kind="warn" title={`Could not read ${what} again`}>
          <Words text={problem.detail ?? problem.title ?? ''} />{' '}
          {freshAt !== undefined && <>Shown as of {clockTime(freshAt)}.</>}
        </Notice>
      )}
      {children(data)}
    </>
  )
}
