import { useState } from 'react'
import type { PlanResult } from '../../../contract/replay.ts'
import { Terms } from '../../parts/details.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Why } from '../../parts/why.tsx'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Head, number } from '../../parts/table.tsx'
import { DateAndClock } from '../../parts/time.tsx'
import { useAct } from '../../live/acts.ts'

/** The counts of a plan, and the form that runs it. */
export function PlanView({ plan }: { plan: PlanResult }) {
  const count = (value: number) => value.toLocaleString('en')
  const figures: readonly (readonly [string, React.ReactNode])[] = [
    ['Events chosen', count(plan.selected)],
    ['Records read', count(plan.scanned)],
    ['Size', size(plan.bytes)],
    ['Handled by the consumer', plan.group === null ? '–' : count(plan.handled)],
    ['Its inbox knows', plan.group === null ? '–' : count(plan.known)],
    ['Deleted by retention', count(plan.lost)],
    ['First', plan.firstTime ? <DateAndClock key="first" at={plan.firstTime} /> : '–'],
    ['Last', plan.lastTime ? <DateAndClock key="last" at={plan.lastTime} /> : '–'],
  ]
  return (
    <section className="plan" aria-labelledby="plan">
      <h2 id="plan">3. What it would touch</h2>
      <p>{plan.describe}</p>
      <Terms kind="headline" terms={figures} />
      {plan.forgotten > 0 && (
        <Notice kind="warn" title={`${count(plan.forgotten)} events are no longer in its inbox`}>
          Repeated, they would take effect twice.
        </Notice>
      )}
      {plan.unreadable.map((text) => (
        <Notice key={text} kind="warn" title={`Cannot be read: ${text}`} />
      ))}
      {plan.refusals.length > 0 && (
        <Notice kind="warn" title="It would be refused now">
          <ul>
            {plan.refusals.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Notice>
      )}
      <table className="rows">
        <caption className="sr-only">By topic</caption>
        <Head columns={['Topic', ...['Partitions', 'Chosen', 'Records', 'Known', 'Deleted'].map(number)]} />
        <tbody>
          {plan.topics.map(({ topic, partitions, selected, scanned, known, lost }) => (
            <tr key={topic}>
              <th scope="row">{topic}</th>
              {[partitions, selected, scanned, known, lost].map((value, index) => (
                <td key={index} className="number">
                  {count(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>Offsets of the partitions</summary>
        <ul className="offsets">
          {plan.partitions.map(({ place, from, to, selected }) => (
            <li key={place}>
              {place}: {from} to {to}, {count(selected)} chosen
            </li>
          ))}
        </ul>
      </details>
      <RunPlan plan={plan} />
    </section>
  )
}

function size(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`
  return bytes < 10_000_000 ? `${(bytes / 1_000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

const accepts = [
  ['acceptDrift', 'although something has changed since the plan was made'],
  ['acceptLost', 'without events that retention has deleted'],
  ['acceptUnreadable', 'although some events cannot be read'],
] as const

/** Options that only one mode has. */
const ofMode: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  reprocess: [
    ['skipFailed', 'skip and record events that fail'],
    ['allowExternal', 'repeat calls to the outside, with their original keys'],
  ],
  copy: [['createTopic', 'create the topic to write to if there is none']],
}

function RunPlan({ plan }: { plan: PlanResult }) {
  const act = useAct()
  const [why, setWhy] = useState('')
  const [rate, setRate] = useState('')
  const [maxLag, setMaxLag] = useState('')
  const [flags, setFlags] = useState<Readonly<Record<string, boolean>>>({})
  const [corrected, setCorrected] = useState(false)
  const toggle = (name: string) => setFlags({ ...flags, [name]: !flags[name] })
  const run = () =>
    void act.perform('replay-run', {
      plan: plan.plan,
      why,
      options: {
        ...flags,
        ...(Number(rate) > 0 && { rate: Number(rate) }),
        ...(maxLag.trim() !== '' && { maxLag: Number(maxLag) }),
        ...(corrected && { emit: 'corrected' }),
      },
    })
  if (act.done) return <Outcome act={act} />
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        run()
      }}
    >
      <h2>4. Run it</h2>
      <div className="columns">
        <Why value={why} onChange={setWhy} note="kept with the replay" required />
        {plan.mode !== 'redeliver' && (
          <label>
            Events a second <small>empty: no limit</small>
            <input
              value={rate}
              inputMode="decimal"
              pattern="[0-9.]*"
              onChange={({ target }) => setRate(target.value)}
            />
          </label>
        )}
        <label>
          Stop when the consumer is behind by <small>events; empty: never</small>
          <input
            value={maxLag}
            inputMode="numeric"
            pattern="[0-9]*"
            onChange={({ target }) => setMaxLag(target.value)}
          />
        </label>
      </div>
      {[...accepts, ...(ofMode[plan.mode] ?? [])].map(([name, text]) => (
        <label key={name} className="check">
          <input type="checkbox" checked={flags[name] ?? false} onChange={() => toggle(name)} />
          {text}
        </label>
      ))}
      {plan.mode === 'reprocess' && (
        <label className="check">
          <input type="checkbox" checked={corrected} onChange={() => setCorrected(!corrected)} />
          give resulting events new ids, so that their consumers process them as new
        </label>
      )}
      <button type="submit" className="primary" disabled={act.busy || why.trim() === ''}>
        Replay {plan.selected.toLocaleString('en')} event{plan.selected === 1 ? '' : 's'}
      </button>
      <Outcome act={act} />
    </form>
  )
}
