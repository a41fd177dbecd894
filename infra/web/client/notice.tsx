import type { ReactNode } from 'react'

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
