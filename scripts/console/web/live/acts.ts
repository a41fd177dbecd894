import { useState } from 'react'
import type { Done, Problem } from '../../contract/problem.ts'
import { actorToSend } from './actor.ts'
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
      const answer = await post(`/api/acts/${name}`, { ...body, actor: actorToSend() })
      setState({ busy: false, done: answer.done, problem: answer.problem })
      live.refresh()
      return answer.done
    },
  }
}

/** Asks work to stop; what it has done by then stays. */
export const interrupt = (job: string): Promise<unknown> =>
  post(`/api/jobs/${encodeURIComponent(job)}/interruption`, {})

async function post(path: string, body: object): Promise<{ done?: Done; problem?: Problem }> {
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as unknown
    return response.ok ? { done: answer as Done } : { problem: answer as Problem }
  } catch {
    return {
      problem: { title: 'The console does not answer', detail: 'Whether this was done is unknown: look again.' },
    }
  }
}
