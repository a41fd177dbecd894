import type { Lane, LaneHistory } from '../../../contract/lanes.ts'
import { Pill } from '../../parts/pill.tsx'
import { Part } from '../../parts/problem.tsx'
import { Head, number } from '../../parts/table.tsx'
import { useFeed } from '../../live/live.ts'

/** Where one lane stands, and who has owned it. */
export function LaneDetail({ consumer, lane }: { consumer: string; lane: Lane }) {
  const reading = useFeed<LaneHistory>(`lane?consumer=${encodeURIComponent(consumer)}&lane=${lane.lane}`)
  return (
    <section className="lane-detail" aria-label={`Lane ${lane.lane} of ${consumer}`}>
      <h3>
        {consumer}/{lane.lane} <Pill state={lane.condition} />
      </h3>
      <dl className="facts">
        <div>
          <dt>Owner</dt>
          <dd className="id">{lane.owner ?? 'none'}</dd>
        </div>
        <div>
          <dt>Epoch</dt>
          <dd>{lane.epoch}</dd>
        </div>
        <div>
          <dt>Calls, timers, unpublished</dt>
          <dd>
            {lane.calls}, {lane.timers}, {lane.outbox}
          </dd>
        </div>
        {lane.topics.map(({ topic, position, end }) => (
          <div key={topic}>
            <dt>{topic}, next of end</dt>
            <dd>
              {position} of {end ?? 'unknown'}
            </dd>
          </div>
        ))}
      </dl>
      <Part reading={reading} what="its history">
        {({ spans }) => (
          <table className="rows">
            <caption>Its owners, newest first, and what became of the offsets</caption>
            <Head
              columns={[
                ...['Epoch', 'Topic', 'Offsets'],
                ...['Took effect', 'Repeats', 'Ignored', 'Parked', 'Holes'].map(number),
                'Replay',
              ]}
            />
            <tbody>
              {spans.slice(0, 40).map((span) => (
                <tr key={`${span.epoch}${span.topic}`}>
                  <th scope="row">{span.epoch}</th>
                  <td>{span.topic}</td>
                  <td>{span.first === span.next ? `none, at ${span.first}` : `${span.first} to ${span.next} excl.`}</td>
                  <td className="number">{span.taken}</td>
                  <td className="number">{span.duplicates}</td>
                  <td className="number">{span.ignored}</td>
                  <td className="number">{span.parked}</td>
                  <td className="number">{span.holes}</td>
                  <td>{span.replay ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Part>
    </section>
  )
}
