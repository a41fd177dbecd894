import { useState } from 'react'
import type { DryRunResult } from '../../../contract/parked.ts'
import { Dialog } from '../../../../../infra/web/client/dialog.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Why } from '../../parts/why.tsx'
import { useAct } from '../../live/acts.ts'
import { DryRun } from './dry-run.tsx'

interface ActsProps {
  /** As the acts take it: events by name, or a consumer's cause. */
  readonly selection: object
  /** `12 chosen events` */
  readonly about: string
}

type Open = 'dry-run' | 'redrive' | 'drop' | undefined

/** Dry run, redrive and drop of a selection. */
export function ParkedActs({ selection, about }: ActsProps) {
  const [open, setOpen] = useState<Open>()
  const [frozen, setFrozen] = useState<ActsProps>({ selection, about })
  const begin = (which: Open) => {
    setFrozen({ selection, about }) // What is parked meanwhile is not what the operator saw
    setOpen(which)
  }
  const close = () => setOpen(undefined)
  return (
    <div className="acts">
      <span>{about}</span>
      <button type="button" onClick={() => begin('dry-run')}>
        Dry run
      </button>
      <button type="button" className="primary" onClick={() => begin('redrive')}>
        Redrive …
      </button>
      <button type="button" className="danger" onClick={() => begin('drop')}>
        Drop …
      </button>
      {open === 'dry-run' && <DryRunDialog {...frozen} onClose={close} />}
      {open === 'redrive' && <RedriveDialog {...frozen} onClose={close} />}
      {open === 'drop' && <DropDialog {...frozen} onClose={close} />}
    </div>
  )
}

type DialogProps = ActsProps & { readonly onClose: () => void }

export const showDryRun = (result: unknown) => <DryRun result={result as DryRunResult} />

function DryRunDialog({ selection, about, onClose }: DialogProps) {
  const act = useAct()
  return (
    <Dialog title={`Dry run: ${about}`} onClose={onClose} wide>
      <p>
        Handles the events as a redrive would, shows the rows and events that it would write, and rolls everything back.
      </p>
      {!act.done && (
        <button
          type="button"
          className="primary"
          disabled={act.busy}
          onClick={() => void act.perform('parked-dry-run', selection)}
        >
          Try
        </button>
      )}
      <Outcome act={act} result={showDryRun} />
    </Dialog>
  )
}

function RedriveDialog({ selection, about, onClose }: DialogProps) {
  const act = useAct()
  const [why, setWhy] = useState('')
  const [rate, setRate] = useState('')
  const send = () =>
    void act.perform('parked-redrive', {
      ...selection,
      ...(why.trim() && { why: why.trim() }),
      ...(Number(rate) > 0 && { rate: Number(rate) }),
    })
  return (
    <Dialog title={`Redrive ${about}`} onClose={onClose}>
      <p>The owners of the lanes handle them again now, each key from its first parked event on.</p>
      {!act.done && (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            send()
          }}
        >
          <Why value={why} onChange={setWhy} note="for the audit" />
          <label>
            Keys a second <small>empty: all at once</small>
            <input
              value={rate}
              inputMode="decimal"
              pattern="[0-9.]*"
              onChange={({ target }) => setRate(target.value)}
            />
          </label>
          <button type="submit" className="primary" disabled={act.busy}>
            Redrive {about}
          </button>
        </form>
      )}
      <Outcome act={act} />
    </Dialog>
  )
}

function DropDialog({ selection, about, onClose }: DialogProps) {
  const act = useAct()
  const [why, setWhy] = useState('')
  return (
    <Dialog title={`Drop ${about}`} onClose={onClose}>
      <p>
        They never take effect. Their bytes stay in the audit. What waits behind them is handled at once, although an
        earlier event of its key is missing.
      </p>
      {!act.done && (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            void act.perform('parked-drop', { ...selection, why })
          }}
        >
          <Why value={why} onChange={setWhy} note="other operators will read it" required />
          <button type="submit" className="danger" disabled={act.busy || why.trim() === ''}>
            Drop {about} for good
          </button>
        </form>
      )}
      <Outcome act={act} />
    </Dialog>
  )
}
