import { useState } from 'react'
import type { FormEvent } from 'react'
import type { RecordLine, RecordsPage, TopicsPage } from '../../../contract/topics.ts'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Words } from '../../parts/words.tsx'
import { Terms } from '../../parts/details.tsx'
import { Part } from '../../parts/problem.tsx'
import { DateAndClock } from '../../parts/time.tsx'
import { live, useConnection, useFeed } from '../../live/live.ts'
import { Link, setQuery } from '../../../../../infra/web/client/router.tsx'

const names = ['partition', 'from', 'key', 'type'] as const

/** Records of a topic at an offset or time, decoded and filtered. */
export function Records({ topic, query }: { topic: string; query: URLSearchParams }) {
  const asked = Object.fromEntries(names.map((name) => [name, query.get(name) ?? '']))
  const reading = useFeed<RecordsPage>(`records?${new URLSearchParams({ topic, ...asked })}`)
  const events = useFeed<TopicsPage>('topics').data?.topics.find(({ name }) => name === topic)?.events ?? []
  const find = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) =>
      form
        .getAll(name)
        .find((value) => typeof value === 'string')
        ?.trim() ?? ''
    setQuery(Object.fromEntries(names.map((name) => [name, text(name)])))
  }
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/topics">Topics</Link> <span aria-hidden="true">/</span>
      </nav>
      <header className="page-head">
        <h1>{topic}</h1>
        <form className="filters" onSubmit={find} key={query.toString()}>
          <label>
            From
            <input
              name="from"
              defaultValue={asked['from']}
              placeholder="the last records"
              title="An offset, a time such as 2026-03-01T18:00Z, -2h, or earliest"
            />
          </label>
          <label>
            Partition
            <input name="partition" defaultValue={asked['partition']} placeholder="all" size={4} inputMode="numeric" />
          </label>
          <label>
            Key
            <input name="key" defaultValue={asked['key']} placeholder="all" />
          </label>
          <label>
            Type
            <select name="type" defaultValue={asked['type']}>
              <option value="">all</option>
              {events.map((type) => (
                <option key={type}>{type}</option>
              ))}
            </select>
          </label>
          <button type="submit" className="primary">
            Read
          </button>
        </form>
      </header>
      <Part reading={reading} what="the records">
        {({ records, scanned, partitions, registryTrouble, databaseTrouble }) => (
          <>
            {databaseTrouble && (
              <Notice kind="warn" title="This is the topic as this console last knew it">
                <Words text={databaseTrouble} />
              </Notice>
            )}
            {registryTrouble && (
              <Notice kind="warn" title="Payloads are bytes">
                <Words text={registryTrouble} />
              </Notice>
            )}
            <p className="aside-block">
              {scanned.toLocaleString('en')} records read from {partitions.length} partition
              {partitions.length === 1 ? '' : 's'}, {records.length} shown,{' '}
              {asked['from'] ? 'the oldest' : 'the newest'} first.{!asked['from'] && <Following />}
            </p>
            {records.length === 0 ? (
              <section className="empty">
                <h2>No records {asked['key'] || asked['type'] ? 'match' : 'here'}</h2>
                <p>The topic has none at this place, or retention has deleted them.</p>
              </section>
            ) : (
              <ol className="events records">
                {records.map((record) => (
                  <Item key={record.place} record={record} />
                ))}
              </ol>
            )}
            {asked['from'] && partitions.length === 1 && partitions[0] && partitions[0].next !== partitions[0].end && (
              <nav className="pager" aria-label="Pages of records">
                <button
                  type="button"
                  onClick={() =>
                    setQuery({ partition: String(partitions[0]?.partition), from: `offset:${partitions[0]?.next}` })
                  }
                >
                  Next →
                </button>
              </nav>
            )}
          </>
        )}
      </Part>
    </>
  )
}

/** Without a place to begin, the page follows the end of the topic. */
function Following() {
  const isPaused = useConnection() === 'paused'
  return (
    <>
      {' '}
      {isPaused ? 'New records are held back.' : 'New records appear at the top.'}{' '}
      <button type="button" className="quiet" onClick={() => live.setPaused(!isPaused)} aria-keyshortcuts="p">
        {isPaused ? 'Follow again' : 'Hold'} <kbd aria-hidden="true">p</kbd>
      </button>
    </>
  )
}

function Item({ record }: { record: RecordLine }) {
  const [open, setOpen] = useState(false)
  return (
    <li className={`event ${open ? 'open' : ''}`} data-row>
      <button type="button" className="event-line" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="event-time">{record.publishedAt ? <DateAndClock at={record.publishedAt} /> : '–'}</span>
        <span className="event-what">
          <strong>{record.type}</strong>
          {record.unreadable && <span className="aside">{record.unreadable}</span>}
        </span>
        <span className="event-by">
          <small className="id">{record.place}</small>
        </span>
        <span className="id">{record.key ?? 'no key'}</span>
      </button>
      {open && (
        <div className="event-detail">
          <dl className="facts">
            {(
              [
                ['Event id', record.eventId],
                ['Writer', record.writer],
                ['Schema', record.schema],
                ['Size', `${record.bytes} bytes`],
                ['Happened', record.happenedAt],
                ['Published', record.publishedAt],
              ] as const
            ).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd className="id">{value ?? '–'}</dd>
              </div>
            ))}
            {record.key !== null && (
              <div>
                <dt>Order</dt>
                <dd>
                  <Link to={`/orders/${encodeURIComponent(record.key)}`}>{record.key}</Link>
                </dd>
              </div>
            )}
          </dl>
          <div className="payloads">
            <pre tabIndex={0} className={record.payload === null ? 'dump' : undefined}>
              {record.payload ?? record.raw}
            </pre>
            <Terms kind="headers" terms={record.headers} />
          </div>
        </div>
      )}
    </li>
  )
}
