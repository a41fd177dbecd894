import { useState } from 'react'
import type { Done, Problem } from '../../contract/problem.ts'
import { actorToSend } from './actor.ts'
import { ask, asksForToken } from './ask.ts'
import { live } from './live.ts'

export interface ActState {
  readonly busy: boolean
  readonly done: Done | undefined
  readonly problem: Problem | undefined
  perform(name: string, body: object): Promise<Done | undefined>
  reset(): void
}

/** Sends an act to the server, once at a time. */
export function useAct(): ActState {
  const [state, setState] = useState<Pick<ActState, 'busy' | 'done' | 'problem'>>({
    busy: false,
    done: undefined,
    problem: undefined,
  })
  return {
    ...state,
    reset: () => setState({ busy: false, done: undefined, problem: undefined }),
    async perform(name, body) {
      setState({ busy: true, done: undefined, problem: undefined })
      const { body: done, problem } = await ask<Done>(`/api/acts/${name}`, { ...body, actor: actorToSend() })
      setState({ busy: false, done, problem: problem?.status === undefined ? problem && unknown : problem })
      if (problem && asksForToken(problem)) void live.checkSession()
      else live.refresh()
      return done
    },
  }
}

const unknown: Problem = {
  title: 'The console does not answer',
  detail: 'Whether this was done is unknown: look again.',
}

/** Asks work to stop; what it has done by then stays. */
export const interrupt = (job: string): Promise<unknown> => ask(`/api/jobs/${encodeURIComponent(job)}/interruption`, {})
