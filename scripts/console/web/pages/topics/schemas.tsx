import type { RetainedSchemas, SchemasPage, SchemaVersion } from '../../../contract/topics.ts'
import { Changes } from '../../parts/details.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { Pill } from '../../parts/pill.tsx'
import { Part } from '../../parts/problem.tsx'
import { number, Table } from '../../parts/table.tsx'
import { DateAndClock } from '../../parts/time.tsx'
import { useAct } from '../../live/acts.ts'
import { useFeed } from '../../live/live.ts'

const columns = ['Topic', 'Event', 'Schema', number('Records'), 'Oldest', 'Newest', 'Handled by']

/** Which schema ids are still present on the topics. Reads all records, so it is asked for. */
function Retained() {
  const act = useAct()
  const show = (result: unknown) => (
    <Table label="Schemas of retained records" columns={columns}>
      {(result as RetainedSchemas).schemas.map(
        ({ topic, type, schema, records, oldestAt, newestAt, readers, unreadable }) => (
          <tr key={`${topic}${schema}`}>
            <th scope="row">{topic}</th>
            <td>{type ?? 'unknown'}</td>
            <td>
              {schema ?? 'none'}
              {unreadable && <small className="block error">{unreadable}</small>}
            </td>
            <td className="number">{records.toLocaleString('en')}</td>
            <td>
              <DateAndClock at={oldestAt} />
            </td>
            <td>
              <DateAndClock at={newestAt} />
            </td>
            <td>{readers.join(', ') || 'no consumer'}</td>
          </tr>
        ),
      )}
    </Table>
  )
  return (
    <div className="retained">
      <button type="button" disabled={act.busy} onClick={() => void act.perform('retained-schemas', {})}>
        Count the ids in retained records
      </button>
      <Outcome act={act} result={show} />
    </div>
  )
}

/** The registered versions of every event's schema, and whether today's code reads them. */
export function Schemas() {
  const reading = useFeed<SchemasPage>('schemas')
  return (
    <section aria-labelledby="schemas">
      <h2 id="schemas">Schemas</h2>
      <Retained />
      <Part reading={reading} what="the schemas">
        {({ events }) => (
          <div className="schemas">
            {events.map(({ type, topic, subject, readers, versions }) => {
              const unreadable = versions.filter((version) => version.unreadable.length > 0)
              return (
                <details key={type} data-row>
                  <summary>
                    <strong>{type}</strong>
                    <span className="aside">
                      {topic},{' '}
                      {versions.length === 0
                        ? 'not registered'
                        : `${versions.length} version${versions.length === 1 ? '' : 's'}`}
                    </span>
                    <span className="verdict-words">
                      {versions.length === 0 ? (
                        <Pill state="unknown" />
                      ) : unreadable.length > 0 ? (
                        <Pill state="unreadable" />
                      ) : (
                        <span className="aside">this version of Tally reads all of them</span>
                      )}
                    </span>
                  </summary>
                  <p>
                    Subject <span className="id">{subject}</span>. Handled by {readers.join(', ') || 'no consumer'}.
                  </p>
                  {versions.toReversed().map((version) => (
                    <Version key={version.version} version={version} />
                  ))}
                </details>
              )
            })}
          </div>
        )}
      </Part>
    </section>
  )
}

const Version = ({ version: { version, id, schema, changes, unreadable, isCurrent } }: { version: SchemaVersion }) => (
  <section className="version">
    <h3>
      v{version}, id {id} {isCurrent && <span className="aside">the schema of this code</span>}
    </h3>
    {unreadable.map((sentence) => (
      <p key={sentence} className="error">
        Cannot be read: {sentence}
      </p>
    ))}
    {changes.length > 0 && (
      <>
        <p>Changed since the version before:</p>
        <Changes changes={changes} />
      </>
    )}
    <details>
      <summary>Schema</summary>
      <pre tabIndex={0}>{schema}</pre>
    </details>
  </section>
)
