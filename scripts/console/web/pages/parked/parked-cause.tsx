import { useState } from 'react'
import type { ParkedEntry, ParkedList, ParkedPage } from '../../../contract/parked.ts'
import { Part } from '../../parts/problem.tsx'
import { number, Pager, Table } from '../../parts/table.tsx'
import type { Column } from '../../parts/table.tsx'
import { Ago } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'
import { Link, setQuery } from '../../../../../infra/web/client/router.tsx'
import { ParkedActs } from './parked-acts.tsx'
import { reasonWords } from './parked.tsx'

/** The parked events of one cause: some or all of them can be redriven or dropped. */
export function CauseOfParked({ query }: { query: URLSearchParams }) {
  const [group = '', cause = '', key = '', upTo = ''] = ['group', 'cause', 'key', 'upTo'].map(
    (name) => query.get(name) ?? '',
  )
  const reading = useFeed<ParkedList>(`parked-list?${new URLSearchParams({ group, cause, key, upTo })}`)
  const all = useFeed<ParkedPage>('parked').data?.causes.find((each) => each.group === group && each.cause === cause)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const toggle = (name: string) => {
    const next = new Set(chosen)
    if (!next.delete(name)) next.add(name)
    setChosen(next)
  }
  const selection =
    chosen.size > 0 ? { events: [...chosen] } : { group, cause: cause || undefined, key: key || undefined }
  const count = chosen.size > 0 ? chosen.size : key ? undefined : all?.events
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/parked">Parked</Link> <span aria-hidden="true">/</span> {group}
      </nav>
      <header className="page-head">
        <div>
          <h1>{all ? reasonWords(all.reason) : `Parked by ${group}`}</h1>
          <p className="lead signature">{all?.signature}</p>
        </div>
        <div className="filters">
          <label>
            Key
            <input
              defaultValue={key}
              placeholder="all"
              onKeyDown={({ key: pressed, currentTarget }) =>
                pressed === 'Enter' && setQuery({ key: currentTarget.value.trim(), upTo: '' })
              }
            />
          </label>
        </div>
      </header>
      <Part reading={reading} what="its events">
        {({ entries, next }) =>
          entries.length === 0 ? (
            <section className="empty">
              <h2>None of these is parked any more</h2>
              <p>
                They were handled or dropped: <Link to="/parked">the audit</Link> says which.
              </p>
            </section>
          ) : (
            <>
              <ParkedActs
                selection={selection}
                about={`${count === undefined ? 'these' : count.toLocaleString('en')} ${chosen.size > 0 ? 'chosen ' : ''}event${count === 1 ? '' : 's'}`}
              />
              <EntriesTable entries={entries} chosen={chosen} onToggle={toggle} />
              <Pager
                label="Pages of events"
                isLater={upTo !== ''}
                next={next === null ? undefined : `/parked?${new URLSearchParams({ group, cause, key, upTo: next })}`}
              />
            </>
          )
        }
      </Part>
    </>
  )
}

const columns: readonly Column[] = [
  { head: <span className="sr-only">Choose</span> },
  'Event',
  'Key',
  'Record',
  'Error',
  number('Tried'),
  { head: 'Parked', sort: 'descending' },
  'Next',
]

interface EntriesProps {
  readonly entries: readonly ParkedEntry[]
  readonly chosen: ReadonlySet<string>
  readonly onToggle: (name: string) => void
}

function EntriesTable({ entries, chosen, onToggle }: EntriesProps) {
  return (
    <Table label="Events" columns={columns}>
      {entries.map(({ name, key, type, record, source, error, attempts, parkedAt, nextAttemptAt, head, behind }) => (
        <tr key={name} data-row>
          <td>
            <input
              type="checkbox"
              checked={chosen.has(name)}
              onChange={() => onToggle(name)}
              aria-label={`Choose ${name}`}
            />
          </td>
          <th scope="row">
            <Link to={`/parked/${name}`} className="id">
              {name}
            </Link>
            <small className="block">{type ?? `unknown ${source}`}</small>
          </th>
          <td>
            <Link to={`/orders/${encodeURIComponent(key)}`} className="id">
              {key}
            </Link>
          </td>
          <td className="id nowrap">{record ?? source}</td>
          <td>
            <span className="error">{error ?? ''}</span>
          </td>
          <td className="number">{attempts}</td>
          <td>
            <Ago at={parkedAt} />
          </td>
          <td>
            {head !== name ? (
              <>
                behind <Link to={`/parked/${head}`}>{head}</Link>
              </>
            ) : nextAttemptAt ? (
              <Ago at={nextAttemptAt} />
            ) : (
              'an operator'
            )}
            {head === name && behind > 0 && <small className="block">{behind} behind it</small>}
          </td>
        </tr>
      ))}
    </Table>
  )
}
