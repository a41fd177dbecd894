import { useState } from 'react'
import type { FormEvent } from 'react'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { session } from '../api/session.ts'
import { useWords } from '../texts/texts.tsx'

/** For a shop whose API wants a token. */
export function SignIn() {
  const { t } = useWords()
  const [token, setToken] = useState('')
  const signIn = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim() !== '') session.signIn(token)
  }
  return (
    <section className="narrow">
      <h1>{t.signIn.title}</h1>
      <Notice kind="info" title={t.signIn.refused}>
        {t.signIn.text}
      </Notice>
      <pre>
        <code>npm run -s token -- --customer c-1</code>
      </pre>
      <form onSubmit={signIn} className="form">
        <label>
          {t.signIn.token}
          <textarea
            rows={5}
            value={token}
            autoComplete="off"
            spellCheck={false}
            onChange={({ target }) => setToken(target.value)}
          />
        </label>
        <button type="submit" className="primary">
          {t.signIn.button}
        </button>
      </form>
    </section>
  )
}
