import type { ParkedLog } from '../../../contract/parked.ts'
import { Part } from '../../parts/problem.tsx'
import { Table } from '../../parts/table.tsx'
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
            <Table label="Audit" columns={['When', 'Event', 'Act', 'By', 'Why']}>
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
            </Table>
          )
        }
      </Part>
    </section>
  )
}
