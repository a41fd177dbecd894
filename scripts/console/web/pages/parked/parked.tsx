import type { ParkedCause, ParkedPage } from '../../../contract/parked.ts'
import { Terms } from '../../parts/details.tsx'
import { Part } from '../../parts/problem.tsx'
import { Pill } from '../../parts/pill.tsx'
import { number, Table } from '../../parts/table.tsx'
import { Ago } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'
import { Link } from '../../../../../infra/web/client/router.tsx'
import { ParkedLogTable } from './parked-log.tsx'

/** Parked events by cause. */
export function Parked() {
  const reading = useFeed<ParkedPage>('parked')
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Parked events</h1>
          <p className="lead">
            Events that could not be handled. Later events of the same key wait behind them; other keys do not.
          </p>
        </div>
      </header>
      <Part reading={reading} what="the parked events">
        {({ causes, events, stuck }) =>
          causes.length === 0 ? (
            <section className="empty">
              <h2>Nothing is parked</h2>
              <p>Every event that arrived was handled, or is about to be.</p>
            </section>
          ) : (
            <>
              <Terms
                kind="headline"
                terms={[
                  ['Parked', events.toLocaleString('en')],
                  ['For an operator', stuck.toLocaleString('en')],
                  ['Causes', causes.length.toLocaleString('en')],
                ]}
              />
              <CausesTable causes={causes} />
            </>
          )
        }
      </Part>
      <ParkedLogTable title="What operators and lanes did" />
    </>
  )
}

function CausesTable({ causes }: { causes: readonly ParkedCause[] }) {
  return (
    <Table
      label="Causes"
      columns={['What went wrong', 'Consumer', 'Event', number('Events'), number('Keys'), 'Needs', 'First', 'Last']}
    >
      {causes.map(({ group, cause, reason, type, source, signature, events, keys, stuck, firstAt, lastAt }) => (
        <tr key={`${group}/${cause}`} data-row>
          <th scope="row" className="cause">
            <Link to={`/parked?group=${encodeURIComponent(group)}&cause=${encodeURIComponent(cause)}`}>
              {reason === 'BEHIND' ? 'Waits behind an earlier event of its key' : reasonWords(reason)}
            </Link>
            {signature && <span className="signature">{signature}</span>}
          </th>
          <td>{group}</td>
          <td>{type ?? `unknown ${source}`}</td>
          <td className="number">{events.toLocaleString('en')}</td>
          <td className="number">{keys.toLocaleString('en')}</td>
          <td>
            {stuck > 0 ? (
              <Pill state="operator" />
            ) : (
              <span className="aside">{reason === 'BEHIND' ? 'the first' : 'a retry'}</span>
            )}
          </td>
          <td>
            <Ago at={firstAt} />
          </td>
          <td>
            <Ago at={lastAt} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

const words: Readonly<Record<string, string>> = {
  UNREADABLE: 'Its bytes cannot be read',
  MISROUTED: 'It is in the wrong place',
  HANDLER_FAILED: 'The handler failed',
  REFUSED_BY_DATABASE: 'The database refused it',
  KILLED_PROCESS: 'It killed the process',
  BEHIND: 'It waits behind an earlier event of its key',
}

export const reasonWords = (reason: string): string => words[reason] ?? reason
