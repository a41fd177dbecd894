import { useEffect, useState } from 'react'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { useConnection, useRestarts } from '../live/live.ts'
import { useRefusal } from '../live/session.ts'
import { Words } from '../parts/words.tsx'
import { SignInButton } from '../parts/sign-in-button.tsx'

/** Says when what is shown may be old, and when that is over. */
export function ConnectionBanner() {
  const connection = useConnection()
  const refusal = useRefusal()
  const restarts = useRestarts()
  const [dismissed, setDismissed] = useState(0)
  useEffect(() => {
    if (restarts === dismissed) return
    const timer = setTimeout(() => setDismissed(restarts), 10_000)
    return () => clearTimeout(timer)
  }, [restarts, dismissed])
  if (connection === 'signed-out')
    return (
      <Notice kind="warn" title="Your session has ended">
        <p>
          What is shown stays, but does not change until you sign in again. <Words text={refusal?.detail ?? ''} />
        </p>
        <SignInButton />
      </Notice>
    )
  if (connection === 'lost' && refusal)
    return (
      <Notice kind="warn" title="The console refuses to answer">
        What is shown may be old. <Words text={refusal.detail ?? ''} />
      </Notice>
    )
  if (connection === 'lost')
    return (
      <Notice kind="warn" title="The console does not answer">
        What is shown may be old. The page tries to connect again; <code>npm run console</code> or{' '}
        <code>npm start</code> serves it.
      </Notice>
    )
  if (connection === 'paused')
    return (
      <Notice kind="info" title="Live updates are paused">
        What is shown does not change until you resume (p).
      </Notice>
    )
  if (restarts > dismissed)
    return (
      <Notice kind="ok" title="The console was restarted">
        This page has connected again and is up to date.
      </Notice>
    )
  return null
}
