import type { ReactNode } from 'react'
import type { Job } from '../../contract/problem.ts'
import { interrupt } from '../live/acts.ts'
import type { ActState } from '../live/acts.ts'
import { useFeed } from '../live/live.ts'
import { CommandLine } from './copy.tsx'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { Words } from './words.tsx'
import { SignInButton } from './sign-in-button.tsx'

interface OutcomeProps {
  readonly act: ActState
  /** Shows the result of work that has ended. */
  readonly result?: (result: unknown) => ReactNode
}

/** What came of an act: the refusal, or what was done and the command line that does the same. */
export function Outcome({ act: { busy, done, problem }, result }: OutcomeProps) {
  if (busy) return <p role="status">Working …</p>
  if (problem)
    return (
      <Notice kind="bad" title="Nothing was done">
        <Words text={problem.detail ?? problem.title ?? ''} /> {problem.status === 401 && <SignInButton />}
      </Notice>
    )
  if (!done) return null
  return (
    <div className="outcome">
      {done.job ? (
        <JobView id={done.job} result={result} />
      ) : (
        done.said.map((line) => <Notice key={line} kind="ok" title={line} />)
      )}
      {done.command && (
        <p>
          The same as <CommandLine command={done.command} />
        </p>
      )}
    </div>
  )
}

export function JobView({ id, result }: { id: string; result?: (result: unknown) => ReactNode }) {
  const { data: job, problem } = useFeed<Job>(`job?id=${encodeURIComponent(id)}`)
  if (!job) return problem ? <Notice kind="bad" title={problem.detail ?? ''} /> : <p role="status">Beginning …</p>
  const isRunning = job.state === 'running'
  return (
    <section className="job" aria-label={job.title}>
      {isRunning ? (
        <>
          <p>
            {job.progress === null ? (
              <progress aria-label={job.title} />
            ) : (
              <progress aria-label={job.title} value={job.progress} max={1} />
            )}
          </p>
          {job.lines.map((line) => (
            <p key={line}>{line}</p>
          ))}
          <button type="button" onClick={() => void interrupt(id)}>
            Stop
          </button>
        </>
      ) : (
        <Notice kind={job.state === 'done' ? 'ok' : 'bad'} title={job.lines[0] ?? job.title}>
          {job.lines.slice(1).map((line) => (
            <div key={line}>{line}</div>
          ))}
        </Notice>
      )}
      {!isRunning && job.result !== null && result?.(job.result)}
    </section>
  )
}
