import type { ReactNode } from 'react'
import { clockTime } from '../model/format-time.ts'
import type { Reading } from '../live/live.ts'

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
        {problem.detail ?? problem.title}
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
          {problem.detail ?? problem.title} {freshAt !== undefined && <>Shown as of {clockTime(freshAt)}.</>}
        </Notice>
      )}
      {children(data)}
    </>
  )
}

interface NoticeProps {
  readonly kind: 'bad' | 'warn' | 'info' | 'ok'
  readonly title: string
  readonly children?: ReactNode
}

const signs = { bad: '✕', warn: '!', info: 'i', ok: '✓' } as const

export function Notice({ kind, title, children }: NoticeProps) {
  return (
    <div className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <span className="sign" aria-hidden="true">
        {signs[kind]}
      </span>
      <div>
        <strong>{title}</strong>
        {children && <div>{children}</div>}
      </div>
    </div>
  )
}
