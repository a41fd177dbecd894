import type { DryRunResult, KeyDryRun } from '../../../contract/parked.ts'
import { Changes } from '../../parts/details.tsx'
import { Pill } from '../../parts/pill.tsx'

/** What a redrive would do, key by key. */
export const DryRun = ({ result: { tried, keys } }: { result: DryRunResult }) => (
  <>
    {tried.length < keys && <p>At most 20 keys of each consumer are tried.</p>}
    {tried.map((each) => (
      <KeyResult key={`${each.group}/${each.key}`} tried={each} />
    ))}
  </>
)

function KeyResult({ tried: { group, key, lane, left, events, rows, tables } }: { tried: KeyDryRun }) {
  return (
    <section className="tried">
      <h3>
        {group}, key <span className="id">{key}</span>, lane {lane}
        {left > 0 && `: ${left} would stay parked`}
      </h3>
      <ul>
        {events.map(({ name, type, outcome, error, effects }) => (
          <li key={name}>
            <span className="id">{name}</span> {type ?? 'unknown'}{' '}
            <Pill state={outcome === 'HANDLED' || outcome === 'DUPLICATE' ? outcome.toLowerCase() : 'failed'} />
            {error && <p className="error">{error}</p>}
            {effects.length > 0 && (
              <ul className="effects">
                {effects.map((effect) => (
                  <li key={effect} className="id">
                    {effect}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
      {rows.map(({ what, changes }) => (
        <div key={what}>
          <strong>{what}</strong>
          <Changes changes={changes} />
        </div>
      ))}
      {tables.length > 0 && (
        <p className="aside-block">
          {tables
            .map(({ table, inserted, updated, deleted }) => `${table} +${inserted} ~${updated} −${deleted}`)
            .join(' · ')}
        </p>
      )}
    </section>
  )
}
