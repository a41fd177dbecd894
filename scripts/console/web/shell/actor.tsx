import { useState } from 'react'
import { setActor, useActor } from '../live/actor.ts'
import { useConnection, useServerActor } from '../live/live.ts'
import { signOut, useSession } from '../live/session.ts'
import { fullTime } from '../model/format-time.ts'

/** Who acts: the one who is signed in, or whoever has given their name. Acts are audited under it. */
export function Actor() {
  const session = useSession()
  const hasEnded = useConnection() === 'signed-out'
  if (session && hasEnded) return <p className="signed-in">The session of {session.subject} has ended</p>
  return session ? <SignedIn subject={session.subject} until={session.endsAt} /> : <ActorName />
}

function ActorName() {
  const fromServer = useServerActor()
  const actor = useActor(fromServer)
  return (
    <label className="actor">
      <span>Acting as</span>
      <input
        value={actor}
        maxLength={60}
        spellCheck={false}
        autoComplete="off"
        onChange={({ target }) => setActor(target.value)}
      />
    </label>
  )
}

function SignedIn({ subject, until }: { subject: string; until: string }) {
  const [failure, setFailure] = useState('')
  return (
    <div className="signed-in">
      <p title={`Until ${fullTime(until)}`}>
        Signed in as <strong className="id">{subject}</strong>
      </p>
      <button
        type="button"
        className="quiet"
        onClick={() => void signOut().then((problem) => setFailure(problem?.title ?? ''))}
      >
        Sign out
      </button>
      {failure !== '' && <p role="alert">{failure}.</p>}
    </div>
  )
}
