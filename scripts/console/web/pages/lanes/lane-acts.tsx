import { useState } from 'react'
import type { Lane } from '../../../contract/lanes.ts'
import { ranges } from '../../model/ranges.ts'
import { Dialog } from '../../../../../infra/web/client/dialog.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Why } from '../../parts/why.tsx'
import { useAct } from '../../live/acts.ts'

interface ActsProps {
  readonly consumer: string
  readonly lanes: readonly Lane[]
}

type Open = 'pause' | 'resume' | 'skip' | 'accept-loss' | undefined

/** Pause, resume, skip and accept loss of chosen lanes. */
export function LaneActs({ consumer, lanes }: ActsProps) {
  const [open, setOpen] = useState<Open>()
  const [frozen, setFrozen] = useState(lanes)
  const can = (what: Lane['can'][number]) => lanes.filter((lane) => lane.can.includes(what))
  const begin = (what: Exclude<Open, undefined>) => {
    setFrozen(can(what))
    setOpen(what)
  }
  const close = () => setOpen(undefined)
  const one = lanes.length === 1
  return (
    <div className="acts">
      <span>
        {consumer}, {lanes.length === 1 ? 'lane' : 'lanes'} {ranges(lanes.map(({ lane }) => lane))}
      </span>
      {can('pause').length > 0 && (
        <button type="button" onClick={() => begin('pause')}>
          Pause …
        </button>
      )}
      {can('resume').length > 0 && (
        <button type="button" className="primary" onClick={() => begin('resume')}>
          Resume …
        </button>
      )}
      {one && can('skip').length > 0 && (
        <button type="button" className="danger" onClick={() => begin('skip')}>
          Skip offsets …
        </button>
      )}
      {one && can('accept-loss').length > 0 && (
        <button type="button" className="danger" onClick={() => begin('accept-loss')}>
          Accept loss …
        </button>
      )}
      {open === 'pause' && <PauseDialog consumer={consumer} lanes={frozen} onClose={close} />}
      {open === 'resume' && <ResumeDialog consumer={consumer} lanes={frozen} onClose={close} />}
      {(open === 'skip' || open === 'accept-loss') && frozen[0] && (
        <PassDialog consumer={consumer} lane={frozen[0]} kind={open} onClose={close} />
      )}
    </div>
  )
}

type DialogProps = ActsProps & { readonly onClose: () => void }

function PauseDialog({ consumer, lanes, onClose }: DialogProps) {
  const act = useAct()
  const [why, setWhy] = useState('')
  const numbers = lanes.map(({ lane }) => lane)
  return (
    <Dialog title={`Pause ${consumer} ${ranges(numbers)}`} onClose={onClose}>
      <p>They process nothing until they are resumed, also after a restart. Calls already made are still answered.</p>
      {!act.done && (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            void act.perform('lanes-pause', { consumer, lanes: numbers, why })
          }}
        >
          <Why value={why} onChange={setWhy} note="other operators will read it" required />
          <button type="submit" className="primary" disabled={act.busy || why.trim() === ''}>
            Pause
          </button>
        </form>
      )}
      <Outcome act={act} />
    </Dialog>
  )
}

function ResumeDialog({ consumer, lanes, onClose }: DialogProps) {
  const act = useAct()
  const numbers = lanes.map(({ lane }) => lane)
  return (
    <Dialog title={`Resume ${consumer} ${ranges(numbers)}`} onClose={onClose}>
      <p>They continue where they stand.</p>
      {!act.done && (
        <button
          type="button"
          className="primary"
          disabled={act.busy}
          onClick={() => void act.perform('lanes-resume', { consumer, lanes: numbers })}
        >
          Resume
        </button>
      )}
      <Outcome act={act} />
    </Dialog>
  )
}

const words = {
  skip: {
    title: 'Skip offsets of',
    lead: 'The lane passes the offsets without reading them: their events never take effect in this consumer.',
    verb: 'Skip them',
  },
  'accept-loss': {
    title: 'Accept the loss of',
    lead: 'The broker no longer has records that this lane has not read. The lane resumes at the first that it has.',
    verb: 'Resume without them',
  },
} as const

interface PassProps {
  readonly consumer: string
  readonly lane: Lane
  readonly kind: 'skip' | 'accept-loss'
  readonly onClose: () => void
}

function PassDialog({ consumer, lane: { lane, topics }, kind, onClose }: PassProps) {
  const trial = useAct()
  const act = useAct()
  const behind = topics.find(({ position, end }) => end !== null && position !== end)
  const [offsets, setOffsets] = useState(behind ? `${behind.topic}/${lane}:${behind.position}-${behind.position}` : '')
  const [why, setWhy] = useState('')
  const { title, lead, verb } = words[kind]
  const body = (onlyTry: boolean) => ({ consumer, lane, onlyTry, why, ...(kind === 'skip' && { offsets }) })
  return (
    <Dialog title={`${title} ${consumer}/${lane}`} onClose={onClose}>
      <p>{lead}</p>
      {!act.done && (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            void act.perform(`lanes-${kind}`, body(false))
          }}
        >
          {kind === 'skip' && (
            <label>
              Offsets <small>topic/partition:first-last</small>
              <input value={offsets} required onChange={({ target }) => setOffsets(target.value)} />
            </label>
          )}
          <Why value={why} onChange={setWhy} note="kept for good" />
          <div className="acts">
            <button type="button" disabled={trial.busy} onClick={() => void trial.perform(`lanes-${kind}`, body(true))}>
              Show what would pass
            </button>
            <button type="submit" className="danger" disabled={act.busy || why.trim() === ''}>
              {verb}
            </button>
          </div>
        </form>
      )}
      {!act.done && <Outcome act={trial} />}
      <Outcome act={act} />
    </Dialog>
  )
}
