import { useState } from 'react'
import type { ReplayLine, ReplaysPage } from '../../../contract/replay.ts'
import { Dialog } from '../../../../../infra/web/client/dialog.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Pill } from '../../parts/pill.tsx'
import { Part } from '../../parts/problem.tsx'
import { Table } from '../../parts/table.tsx'
import { DateAndClock } from '../../parts/time.tsx'
import { useAct } from '../../live/acts.ts'
import { useFeed } from '../../live/live.ts'
import { Wizard } from './wizard.tsx'

/** Replays so far, and a new one. */
export function Replays() {
  const reading = useFeed<ReplaysPage>('replays')
  const [isNew, setIsNew] = useState(false)
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Replay</h1>
          <p className="lead">
            Processes past events again from chosen offsets. A plan counts what it would touch before anything moves.
          </p>
        </div>
        {!isNew && (
          <button type="button" className="primary" onClick={() => setIsNew(true)}>
            New plan
          </button>
        )}
      </header>
      {isNew && <Wizard onClose={() => setIsNew(false)} />}
      <Part reading={reading} what="the replays">
        {({ replays }) =>
          replays.length === 0 ? (
            isNew ? null : (
              <section className="empty">
                <h2>No replay has been run yet</h2>
                <p>A plan reads and counts only: it is safe to make one.</p>
              </section>
            )
          ) : (
            <ReplaysTable replays={replays} />
          )
        }
      </Part>
    </>
  )
}

function ReplaysTable({ replays }: { replays: readonly ReplayLine[] }) {
  return (
    <section aria-labelledby="replays">
      <h2 id="replays">Replays, the newest first</h2>
      <Table label="Replays" columns={['Replay', 'State', 'Done', 'What it did', 'By', 'Began', 'Acts']}>
        {replays.map((replay) => (
          <tr key={replay.id} data-row>
            <th scope="row">
              {replay.id}, {replay.mode} of {replay.target}
            </th>
            <td>
              <Pill state={replay.state} />
              {replay.reason && <small className="block">{replay.reason}</small>}
            </td>
            <td>
              {replay.state === 'running' ? (
                <progress aria-label={`Replay ${replay.id}`} value={replay.share} max={1} />
              ) : (
                `${Math.floor(100 * replay.share)}\u00a0%`
              )}
            </td>
            <td>{replay.figures}</td>
            <td>
              {replay.actor}
              {replay.why && <small className="block">{replay.why}</small>}
            </td>
            <td>
              <DateAndClock at={replay.startedAt} />
            </td>
            <td>
              <ReplayActs replay={replay} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  )
}

const words = {
  pause: 'It stops where it is, and can be resumed.',
  resume: 'It continues where it stopped.',
  cancel: 'It ends for good. What it has done stays.',
  undo: 'The state before it is restored, where that is possible.',
} as const

type Verb = keyof typeof words

const titleOf = (verb: Verb): string => `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`

/** The dialog is not the button's: what came of an act must be read after the button has gone. */
function ReplayActs({ replay: { id, can } }: { replay: ReplayLine }) {
  const [open, setOpen] = useState<Verb>()
  return (
    <>
      {can.map((verb) => (
        <button
          key={verb}
          type="button"
          className="quiet"
          onClick={() => setOpen(verb)}
          aria-label={`${titleOf(verb)} replay ${id}`}
        >
          {titleOf(verb)} …
        </button>
      ))}
      {open && <ReplayDialog id={id} verb={open} onClose={() => setOpen(undefined)} />}
    </>
  )
}

function ReplayDialog({ id, verb, onClose }: { id: number; verb: Verb; onClose: () => void }) {
  const act = useAct()
  return (
    <Dialog title={`${titleOf(verb)} replay ${id}`} onClose={onClose}>
      <p>{words[verb]}</p>
      {!act.done && (
        <button
          type="button"
          className="primary"
          disabled={act.busy}
          onClick={() => void act.perform(`replay-${verb}`, { id })}
        >
          {titleOf(verb)}
        </button>
      )}
      <Outcome act={act} />
    </Dialog>
  )
}
