import { useState } from 'react'
import type { PlanResult, ReplayChoices } from '../../../contract/replay.ts'
import { Outcome } from '../../parts/outcome.tsx'
import { useAct } from '../../live/acts.ts'
import { useFeed } from '../../live/live.ts'
import { PlanView } from './plan-view.tsx'

const modes = [
  [
    'redeliver',
    'The consumer’s replicas receive the events again. Its inbox drops those it knows: proves that nothing is missing, and changes nothing that took effect.',
  ],
  [
    'rebuild',
    'Fills new tables from the topics beside the live ones, then swaps them in. For consumers without effects, such as order-status.',
  ],
  [
    'reprocess',
    'Runs the handlers on chosen events again although the inbox knows them. Use it after a handler was wrong.',
  ],
  ['copy', 'Writes chosen events to another topic.'],
] as const

const placeHelp =
  'earliest, latest, group, an offset (1200), by partition (3:1200,4:900), a time (2026-03-01T18:00Z) or -2h'

/** Chooses a mode and events, makes the plan, shows its counts, then runs it. */
export function Wizard({ onClose }: { onClose: () => void }) {
  const { data: choices } = useFeed<ReplayChoices>('replay-choices')
  const [mode, setMode] = useState<string>('redeliver')
  const [group, setGroup] = useState('')
  const [form, setForm] = useState({ topics: '', from: '', to: '', keys: '', types: '', toTopic: '' })
  const plan = useAct()
  const groups = choices?.groups ?? []
  const chosen = group || (mode === 'copy' ? '' : (groups[0]?.name ?? ''))
  const field = (name: keyof typeof form, label: string, help: string) => (
    <label>
      {label} <small>{help}</small>
      <input
        value={form[name]}
        spellCheck={false}
        onChange={({ target }) => setForm({ ...form, [name]: target.value })}
      />
    </label>
  )
  const make = () =>
    void plan.perform('replay-plan', {
      mode,
      group: chosen === '' ? null : chosen,
      ...listed('topics', form.topics),
      ...listed('keys', form.keys),
      ...listed('types', form.types),
      ...(form.from.trim() && { from: form.from.trim() }),
      ...(form.to.trim() && { to: form.to.trim() }),
      ...(mode === 'copy' && form.toTopic.trim() && { toTopic: form.toTopic.trim() }),
    })
  return (
    <section className="wizard" aria-label="New plan">
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          make()
        }}
      >
        <fieldset>
          <legend>1. What to do with the events</legend>
          {modes.map(([name, text]) => (
            <label key={name} className="choice">
              <input type="radio" name="mode" value={name} checked={mode === name} onChange={() => setMode(name)} />
              <span>
                <strong>{name}</strong> {text}
              </span>
            </label>
          ))}
        </fieldset>
        <fieldset className="columns">
          <legend>2. Which events</legend>
          <label>
            Consumer {mode === 'copy' && <small>optional</small>}
            <select value={chosen} onChange={({ target }) => setGroup(target.value)}>
              {mode === 'copy' && <option value="">none</option>}
              {groups.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          {field('topics', 'Topics', 'separated by commas; empty: all that it reads')}
          {field('from', 'From', `empty: earliest; ${placeHelp}`)}
          {field(
            'to',
            'To, exclusive',
            mode === 'redeliver' || mode === 'reprocess' ? 'empty: where the consumer stands' : 'empty: latest',
          )}
          {field('keys', 'Keys', 'order ids, separated by commas; empty: all')}
          {field('types', 'Event types', 'separated by commas; empty: all')}
          {mode === 'copy' && field('toTopic', 'Topic to write to', 'without namespace')}
        </fieldset>
        <div className="acts">
          <button type="submit" className="primary" disabled={plan.busy}>
            Count what it would touch
          </button>
          <button type="button" className="quiet" onClick={onClose}>
            Close
          </button>
        </div>
      </form>
      <Outcome
        act={plan}
        result={(result) => <PlanView key={(result as PlanResult).plan} plan={result as PlanResult} />}
      />
    </section>
  )
}

function listed(name: string, text: string): object {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
  return items.length > 0 ? { [name]: items } : {}
}
