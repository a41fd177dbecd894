import { useSyncExternalStore } from 'react'
import type { Problem } from '../../contract/problem.ts'
import type { Session } from '../../contract/session.ts'
import { ask } from './ask.ts'
import { live } from './live.ts'

/** All tabs share one cookie: what one does concerns the others. */
const tabs = new BroadcastChannel('tally.session')
tabs.onmessage = ({ data }: MessageEvent<'in' | 'out'>) => {
  if (data === 'out') live.leave()
  else void live.checkSession()
}

/** @returns why the token is refused; undefined once it is accepted */
export async function signIn(token: string): Promise<Problem | undefined> {
  const { body, problem } = await ask<Session>('/api/sign-in', { token })
  if (problem) return problem
  tabs.postMessage('in')
  live.signedIn(body)
  return undefined
}

/** @returns why it was not possible */
export async function signOut(): Promise<Problem | undefined> {
  const { problem } = await ask('/api/sign-out', {})
  if (problem) return problem
  tabs.postMessage('out')
  live.leave()
  return undefined
}

/** Who is signed in, or was until the session ended; undefined where the console asks for no token. */
export const useSession = (): Session | undefined => useSyncExternalStore(live.subscribe, () => live.session)

/** Why the server does not answer as it should: a token is missing or refused, or cannot be checked. */
export const useRefusal = (): Problem | undefined => useSyncExternalStore(live.subscribe, () => live.refusal)
