import { useState } from 'react'
import type { ParkedEvent as Parked } from '../../../contract/parked.ts'
import { CommandLine } from '../../parts/copy.tsx'
import { Terms } from '../../parts/details.tsx'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Part } from '../../parts/problem.tsx'
import { Ago, DateAndClock } from '../../parts/time.tsx'
import { useFeed } from '../../live/live.ts'
import { Link } from '../../../../../infra/web/client/router.tsx'
import { EditParked } from './edit-parked.tsx'
import { Words } from '../../parts/words.tsx'
import { ParkedActs } from './parked-acts.tsx'
import { ParkedLogTable } from './parked-log.tsx'
import { reasonWords } from './parked.tsx'

export function ParkedEvent({ name }: { name: string }) {
  const reading = useFeed<Parked>(`parked-event?name=${encodeURIComponent(name)}`)
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/parked">Parked</Link> <span aria-hidden="true">/</span>
      </nav>
      <h1 className="id">{name}</h1>
      {reading.data && reading.problem && (
        <Notice
          kind="warn"
          title={reading.problem.status === 422 ? 'It is not parked any more' : 'Could not read the event again'}
        >
          <Words text={reading.problem.detail ?? ''} />
        </Notice>
      )}
      {reading.data ? (
        // Also after it has left: an operator may be typing a reason
        <Details event={reading.data} />
      ) : (
        <Part reading={reading} what="the event">
          {() => null}
        </Part>
      )}
      <ParkedLogTable title="What was done to events of its key" recordKey={reading.data?.key ?? ''} />
    </>
  )
}

function Details({ event }: { event: Parked }) {
  const [editing, setEditing] = useState(false)
  const isHead = event.queue[0]?.name === event.name
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ['Event', event.type ?? `unknown ${event.source}`],
    [
      'Key',
      <Link key="key" to={`/orders/${encodeURIComponent(event.key)}`} className="id">
        {event.key}
      </Link>,
    ],
    ['Lane', `${event.group}/${event.lane}`],
    ['Record', event.record ?? `none: the ${event.source} of a ${event.type}`],
    ['Parked', <DateAndClock key="parked" at={event.parkedAt} />],
    ['Tried', event.attempts === 1 ? 'once' : `${event.attempts} times`],
    [
      'Next attempt',
      event.nextAttemptAt ? (
        <Ago key="next" at={event.nextAttemptAt} />
      ) : isHead ? (
        'waits for an operator'
      ) : (
        'behind the first of its key'
      ),
    ],
  ]
  return (
    <>
      <section className="waiting bad" aria-label="Why it is parked">
        <h2>{reasonWords(event.reason)}</h2>
        <p className="error">{event.error}</p>
        {event.obstacles.map((why) => (
          <p key={why}>
            <strong>Its lane: {why}</strong>
          </p>
        ))}
      </section>
      <Terms kind="headline" terms={facts} />
      <div className="acts-row">
        <ParkedActs selection={{ events: [event.name] }} about={event.name} />
        {event.editable !== null && (
          <button type="button" onClick={() => setEditing(true)}>
            Edit …
          </button>
        )}
      </div>
      {editing && <EditParked event={event} onClose={() => setEditing(false)} />}
      <div className="payloads">
        <section>
          <h2>Decoded</h2>
          {event.payload !== null ? (
            <pre tabIndex={0}>{event.payload}</pre>
          ) : (
            <p>It cannot be read: {event.unreadable}.</p>
          )}
        </section>
        <section>
          <h2>Raw, {event.bytes} bytes</h2>
          <pre tabIndex={0} className="dump">
            {event.raw}
          </pre>
        </section>
        <section>
          <h2>
            State of the key in <span className="id">{event.group}</span>
          </h2>
          {event.state === null ? <p>None yet.</p> : <pre tabIndex={0}>{event.state}</pre>}
        </section>
        <section>
          <h2>Headers</h2>
          {event.headers.length === 0 && <p>None.</p>}
          <Terms kind="headers" terms={event.headers} />
        </section>
      </div>
      {event.stack && (
        <details>
          <summary>Stack</summary>
          <pre tabIndex={0}>{event.stack}</pre>
        </details>
      )}
      <h2>Events of its key, in order</h2>
      <ol className="queue">
        {event.queue.map(({ name, type, record, source }) => (
          <li key={name} aria-current={name === event.name ? 'true' : undefined}>
            <Link to={`/parked/${name}`} className="id">
              {name}
            </Link>{' '}
            {type ?? `unknown ${source}`} <small>{record}</small>
          </li>
        ))}
      </ol>
      <p>
        The same as <CommandLine command={`npm run parked -- show ${event.name}`} />
      </p>
    </>
  )
}
