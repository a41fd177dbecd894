import type { ParkedLog } from '../../../contract/parked.ts'
import { Part } from '../../parts/problem.tsx'
import { DateAndClock } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'

/** The audit of parked events, newest first. */
export function ParkedLogTable({ title, recordKey = '' }: { title: string; recordKey?: string }) {
  const reading = useFeed<ParkedLog>(`parked-log?key=${encodeURIComponent(recordKey)}`)
  return (
    <section aria-labelledby="audit">
      <h2 id="audit">{title}</h2>
      <Part reading={reading} what="the audit">
        {({ entries }) =>
          entries.length === 0 ? (
            <p className="aside-block">Nothing yet.</p>
          ) : (
            <div className="scroll" tabIndex={0} role="region" aria-label="Audit">
              <table className="rows">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Event</th>
                    <th scope="col">Act</th>
                    <th scope="col">By</th>
                    <th scope="col">Why</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map(({ at, event, key, action, actor, why }, index) => (
                    <tr key={`${at}${event}${action}${index}`}>
                      <td>
                        <DateAndClock at={at} />
                      </td>
                      <th scope="row">
                        <span className="id">{event}</span> <small>{key}</small>
                      </th>
                      <td>{action.toLowerCase().replaceAll('_', ' ')}</td>
                      <td className="id">{actor}</td>
                      <td>{why ?? ''}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Part>
    </section>
  )
}
