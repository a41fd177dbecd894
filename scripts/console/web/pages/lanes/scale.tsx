import { useState } from 'react'
import type { AdviceResult } from '../../../contract/lanes.ts'
import { Dialog } from '../../../../../infra/web/client/dialog.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Head, number } from '../../parts/table.tsx'
import { useAct } from '../../live/acts.ts'

/** Measures all consumers and says how many replicas each needs. */
export function Advice() {
  const [open, setOpen] = useState(false)
  const act = useAct()
  return (
    <>
      <button
        type="button"
        onClick={() => {
          setOpen(true)
          void act.perform('advise', {})
        }}
      >
        Advise on replicas
      </button>
      {open && (
        <Dialog title="How many replicas are needed" onClose={() => setOpen(false)} wide>
          <Outcome act={act} result={(result) => <AdviceTable result={result as AdviceResult} />} />
        </Dialog>
      )}
    </>
  )
}

const AdviceTable = ({ result: { consumers } }: { result: AdviceResult }) => (
  <table className="rows">
    <Head columns={['Consumer', number('Runs'), number('Needs'), 'Because']} />
    <tbody>
      {consumers.map(({ consumer, replicas, needed, because }) => (
        <tr key={consumer}>
          <th scope="row">{consumer}</th>
          <td className="number">{replicas}</td>
          <td className="number">{replicas === needed ? needed : <strong>{needed}</strong>}</td>
          <td>{because.join('; ')}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

interface ScaleProps {
  readonly consumer: string
  readonly replicas: number
  readonly lanes: number
}

/** Changes the number of replicas of a consumer, with the effect told before. */
export function ScaleButton({ consumer, replicas, lanes }: ScaleProps) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setOpen(true)} aria-label={`Scale ${consumer}`}>
        Scale …
      </button>
      {open && <ScaleDialog consumer={consumer} replicas={replicas} lanes={lanes} onClose={() => setOpen(false)} />}
    </>
  )
}

function ScaleDialog({ consumer, replicas, lanes, onClose }: ScaleProps & { onClose: () => void }) {
  const [wanted, setWanted] = useState(String(Math.max(1, replicas)))
  const act = useAct()
  const advice = useAct()
  const number = Number(wanted)
  return (
    <Dialog title={`Scale ${consumer}`} onClose={onClose}>
      {!act.done && (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            void act.perform('scale', { consumer, replicas: number })
          }}
        >
          <label>
            Replicas
            <input
              type="number"
              min={1}
              max={1_000}
              required
              value={wanted}
              onChange={({ target }) => setWanted(target.value)}
            />
          </label>
          <p>{effectOf(number, replicas, lanes)}</p>
          <div className="acts">
            <button type="button" disabled={advice.busy} onClick={() => void advice.perform('advise', {})}>
              What is advised?
            </button>
            <button type="submit" className="primary" disabled={act.busy || !(number >= 1) || number === replicas}>
              Scale to {wanted}
            </button>
          </div>
        </form>
      )}
      {!act.done && (
        <Outcome
          act={advice}
          result={(result) => (
            <AdviceTable
              result={{ consumers: (result as AdviceResult).consumers.filter((each) => each.consumer === consumer) }}
            />
          )}
        />
      )}
      <Outcome act={act} />
    </Dialog>
  )
}

/** What a number of replicas means for their shares of the lanes. */
export function effectOf(wanted: number, replicas: number, lanes: number): string {
  if (!(wanted >= 1)) return 'A consumer has at least one replica.'
  const [least, most] = [Math.floor(lanes / wanted), Math.ceil(lanes / wanted)]
  const share = least === most ? `${most}` : `${least} or ${most}`
  const idle = wanted > lanes ? ` ${wanted - lanes} of them stay idle: there are only ${lanes} lanes.` : ''
  const move =
    wanted === replicas ? 'Nothing moves.' : 'Lanes that move are paused for a moment; nothing is lost or doubled.'
  return `${wanted} replica${wanted === 1 ? '' : 's'} with ${share} of ${lanes} lanes each.${idle} ${move}`
}
