import { useState } from 'react'
import type { ParkedEvent } from '../../../contract/parked.ts'
import { Dialog } from '../../../../../infra/web/client/dialog.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Why } from '../../parts/why.tsx'
import { useAct } from '../../live/acts.ts'
import { showDryRun } from './parked-acts.tsx'

/** Replaces the contents of a parked event; the server checks them against the schema and the rules of the event. */
export function EditParked({ event, onClose }: { event: ParkedEvent; onClose: () => void }) {
  const [opened] = useState(event) // An edit is one of what the operator has seen
  const [value, setValue] = useState(opened.editable ?? '')
  const [type, setType] = useState('')
  const [why, setWhy] = useState('')
  const [redrive, setRedrive] = useState(true)
  const trial = useAct()
  const act = useAct()
  const body = (dryRun: boolean) => ({
    ...{ event: opened.name, value, seen: opened.seen, redrive, why, dryRun },
    ...(type.trim() && { type: type.trim() }),
  })
  const isRecord = opened.source === 'record'
  return (
    <Dialog title={`Edit ${opened.name}`} onClose={onClose} wide>
      <form
        className="form"
        onSubmit={(submitted) => {
          submitted.preventDefault()
          trial.reset()
          void act.perform('parked-edit', body(false))
        }}
      >
        {isRecord && opened.payload === null && (
          <label>
            Event type <small>if the record does not say it</small>
            <input value={type} placeholder="OrderPlaced" onChange={({ target }) => setType(target.value)} />
          </label>
        )}
        <label>
          {isRecord ? 'Data, JSON' : 'Answer, JSON'}
          <textarea rows={16} value={value} spellCheck={false} onChange={({ target }) => setValue(target.value)} />
        </label>
        <Why value={why} onChange={setWhy} note="other operators will read it" />
        <label className="check">
          <input type="checkbox" checked={redrive} onChange={({ target }) => setRedrive(target.checked)} />
          Redrive it at once
        </label>
        <div className="acts">
          <button
            type="button"
            disabled={trial.busy}
            onClick={() => {
              act.reset()
              void trial.perform('parked-edit', body(true))
            }}
          >
            Dry run
          </button>
          <button type="submit" className="primary" disabled={act.busy || why.trim() === ''}>
            Change it
          </button>
        </div>
      </form>
      <Outcome act={trial} result={showDryRun} />
      <Outcome act={act} />
    </Dialog>
  )
}
