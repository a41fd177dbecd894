import { useId, useState, useSyncExternalStore } from 'react'
import type { FormEvent } from 'react'
import type { Problem } from '../../contract/problem.ts'
import { Dialog } from '../../../../infra/web/client/dialog.tsx'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { live } from '../live/live.ts'
import { signIn, useRefusal } from '../live/session.ts'
import { CommandLine } from '../parts/copy.tsx'
import { Words } from '../parts/words.tsx'

/** In place of all pages while nobody is signed in. */
export function SignInPage() {
  const refusal = useRefusal()
  return (
    <main className="sign-in">
      <h1>Sign in to the console</h1>
      <SignInForm refusal={refusal?.status === 403 ? refusal : undefined} />
    </main>
  )
}

/** Over the page whose session has ended, so that neither the page nor a dialog on it is lost. */
export function SignInDialog() {
  const isOpen = useSyncExternalStore(live.subscribe, () => live.signInOpen)
  if (!isOpen) return null
  return (
    <Dialog title="Sign in again" onClose={() => live.openSignIn(false)}>
      <SignInForm refusal={undefined} />
    </Dialog>
  )
}

/** @param refusal why the token that the browser has is of no use */
function SignInForm({ refusal }: { refusal: Problem | undefined }) {
  const id = useId()
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState(refusal)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(await signIn(token))
    setBusy(false)
  }
  return (
    <>
      <p>
        The console asks for a token with the scope <code>operations</code>; what you do is audited under its subject.
        Your identity provider issues it. In a secured stack of your own, this command does:
      </p>
      <p>
        <CommandLine command="npm run -s token -- --operator NAME" />
      </p>
      <form className="form sign-in-form" onSubmit={(event) => void submit(event)}>
        <label>
          Token
          <textarea
            rows={6}
            value={token}
            required
            autoComplete="off"
            spellCheck={false}
            aria-describedby={problem && id}
            aria-invalid={problem !== undefined}
            onChange={({ target }) => setToken(target.value)}
          />
        </label>
        {problem && (
          <div id={id}>
            <Notice kind="bad" title={problem.status === undefined ? 'Nobody answers' : 'You are not signed in'}>
              <Words text={problem.detail ?? problem.title ?? ''} />
            </Notice>
          </div>
        )}
        <div className="acts">
          <button type="submit" className="primary" disabled={busy}>
            Sign in
          </button>
        </div>
      </form>
    </>
  )
}
