import type { OrderEvent } from '../../../contract/orders.ts'
import { duration } from '../../model/format-time.ts'
import { Changes, Terms } from '../../parts/details.tsx'
import { Pill } from '../../parts/pill.tsx'
import { Clock } from '../../parts/time.tsx'

interface EventProps {
  readonly event: OrderEvent
  readonly number: number
  /** Since the event before happened, milliseconds. */
  readonly sinceMs: number | undefined
  readonly open: boolean
  readonly onToggle: () => void
}

/** One event: a line that opens to all that is known of it. */
export function EventItem({ event, number, sinceMs, open, onToggle }: EventProps) {
  const parked = event.reads.filter(({ state }) => state === 'parked')
  const unread = event.reads.filter(({ state }) => state === 'unread')
  const detail = `event-${number}`
  return (
    <li className={`event depth-${Math.min(event.depth, 4)} ${open ? 'open' : ''}`} data-row>
      <button type="button" className="event-line" aria-expanded={open} aria-controls={detail} onClick={onToggle}>
        <span className="event-time">
          {event.happenedAt ? <Clock at={event.happenedAt} /> : '–'}
          <small>{sinceMs === undefined ? '' : `+${duration(sinceMs)}`}</small>
        </span>
        <span className="event-what">
          <strong>{event.type}</strong>
          {event.summary && <span className="aside">{event.summary}</span>}
        </span>
        <span className="event-by">
          {event.writer ?? ''}
          <small className="id">{event.place ?? 'no record'}</small>
        </span>
        <span className="event-state">
          {event.unreadable && event.raw !== null && <Pill state="unreadable" />}
          {event.repeats.length > 0 && <span className="pill quiet">seen {event.repeats.length + 1} times</span>}
          {parked.length > 0 && <Pill state="parked" />}
          {parked.length === 0 && unread.length > 0 && <Pill state="unread" />}
          {parked.length + unread.length === 0 && event.reads.length > 0 && <Pill state="handled" />}
        </span>
      </button>
      {open && <EventDetail event={event} id={detail} />}
    </li>
  )
}

function EventDetail({ event, id }: { event: OrderEvent; id: string }) {
  const facts: readonly (readonly [string, string | null])[] = [
    ['Event id', event.eventId],
    ['Caused by', event.causationId],
    ['Topic-partition@offset', event.place],
    ['Schema', event.schema],
    ['Size', event.bytes === null ? null : `${event.bytes} bytes`],
    ['Happened', event.happenedAt],
    ['Published', event.publishedAt],
  ]
  return (
    <div className="event-detail" id={id}>
      <dl className="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="id">{value}</dd>
            </div>
          ),
        )}
        {event.repeats.length > 0 && (
          <div>
            <dt>Seen again, dropped</dt>
            <dd className="id">{event.repeats.join(', ')}</dd>
          </div>
        )}
      </dl>
      <table className="reads">
        <caption>What became of it</caption>
        <tbody>
          {event.reads.map(({ consumer, state, at, detail, replays }) => (
            <tr key={consumer}>
              <th scope="row">{consumer}</th>
              <td>
                <Pill state={state} />
              </td>
              <td>{at ? <Clock at={at} /> : ''}</td>
              <td>
                {detail}
                {replays.length > 0 && ` read again by replay ${replays.join(', ')}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="payloads">
        <section>
          <h3>Payload</h3>
          {event.payload !== null ? (
            <pre tabIndex={0}>{event.payload}</pre>
          ) : (
            <>
              <p>Not shown as fields: {event.unreadable}.</p>
              {event.raw && (
                <pre tabIndex={0} className="dump">
                  {event.raw}
                </pre>
              )}
            </>
          )}
        </section>
        {event.changedFrom && (
          <section>
            <h3>Differences to {event.changedFrom}</h3>
            {event.changes.length === 0 ? <p>None.</p> : <Changes changes={event.changes} />}
          </section>
        )}
        <section>
          <h3>Headers</h3>
          <Terms kind="headers" terms={event.headers} />
        </section>
      </div>
    </div>
  )
}
