import type { FlowPage } from '../../../contract/flow.ts'
import { duration } from '../../model/format-time.ts'
import { Link } from '../../live/router.tsx'
import { Chart, rateText } from '../../parts/chart.tsx'

/** Says what the picture shows, and the last hour. */
export function FlowTables({ page: { topics, consumers, reads } }: { page: FlowPage }) {
  return (
    <>
      <h2>Consumers</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Consumers">
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Consumer</th>
              <th scope="col" className="number">
                Replicas
              </th>
              <th scope="col">Reads</th>
              <th scope="col" className="number">
                Behind
              </th>
              <th scope="col">Oldest waits</th>
              <th scope="col" className="number">
                Parked
              </th>
              <th scope="col" className="number">
                Calls failing
              </th>
              <th scope="col" className="number">
                Linger
              </th>
              <th scope="col">Events/s, last hour</th>
              <th scope="col">Behind, last hour</th>
            </tr>
          </thead>
          <tbody>
            {consumers.map(({ name, replicas, behind, behindMs, parked, failingCalls, lingerMs, history }) => (
              <tr key={name} data-row>
                <th scope="row">
                  <Link to="/lanes">{name}</Link>
                </th>
                <td className="number">{replicas}</td>
                <td>
                  {reads
                    .filter(({ consumer }) => consumer === name)
                    .map(({ topic, rate, behind: own, handles }) => (
                      <span key={topic} className="block nowrap" title={handles.join(', ')}>
                        {topic}: {rateText(rate)}
                        {own !== null && own > 0 && `, ${own.toLocaleString('en')} behind`}
                      </span>
                    ))}
                </td>
                <td className="number">{behind === null ? 'unknown' : behind.toLocaleString('en')}</td>
                <td>{behindMs > 0 ? `over ${duration(behindMs)}` : '–'}</td>
                <td className="number">{parked > 0 ? <Link to="/parked">{parked.toLocaleString('en')}</Link> : 0}</td>
                <td className="number">{failingCalls}</td>
                <td className="number">{lingerMs > 0 ? `${lingerMs} ms` : '–'}</td>
                <td>
                  <Chart points={history} of={({ rate }) => rate} label={`Events a second of ${name}`} />
                </td>
                <td>
                  <Chart points={history} of={({ behind: own }) => own} label={`Events behind of ${name}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <h2>Topics</h2>
      <div className="scroll" tabIndex={0} role="region" aria-label="Topics">
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Topic</th>
              <th scope="col">Written by</th>
              <th scope="col">Events</th>
              <th scope="col" className="number">
                Records
              </th>
              <th scope="col" className="number">
                Rate
              </th>
              <th scope="col">Events/s, last hour</th>
            </tr>
          </thead>
          <tbody>
            {topics.map(({ name, writers, events, records, rate, history }) => (
              <tr key={name} data-row>
                <th scope="row">{name}</th>
                <td>{writers.join(', ')}</td>
                <td>{events.join(', ')}</td>
                <td className="number">{records === null ? 'unknown' : BigInt(records).toLocaleString('en')}</td>
                <td className="number">{rateText(rate)}</td>
                <td>
                  <Chart points={history} of={(point) => point.rate} label={`Events a second on ${name}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
