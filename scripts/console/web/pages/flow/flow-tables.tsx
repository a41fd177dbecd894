import type { FlowPage } from '../../../contract/flow.ts'
import { duration } from '../../model/format-time.ts'
import { Link } from '../../../../../infra/web/client/router.tsx'
import { Chart, rateText } from '../../parts/chart.tsx'
import { number, Table } from '../../parts/table.tsx'

const consumerColumns = [
  'Consumer',
  number('Replicas'),
  'Reads',
  number('Behind'),
  'Oldest waits',
  number('Parked'),
  number('Calls failing'),
  number('Linger'),
  'Events/s, last hour',
  'Behind, last hour',
]

/** Says what the picture shows, and the last hour. */
export function FlowTables({ page: { topics, consumers, reads } }: { page: FlowPage }) {
  return (
    <>
      <h2>Consumers</h2>
      <Table label="Consumers" columns={consumerColumns}>
        {consumers.map(({ name, replicas, behind, behindMs, parked, failingCalls, lingerMs, history }) => (
          <tr key={name} data-row>
            <th scope="row">
              <Link to="/lanes">{name}</Link>
            </th>
            <td className="number">{replicas ?? 'unknown'}</td>
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
            <td className="number">
              {parked !== null && parked > 0 ? (
                <Link to="/parked">{parked.toLocaleString('en')}</Link>
              ) : (
                (parked ?? 'unknown')
              )}
            </td>
            <td className="number">{failingCalls ?? 'unknown'}</td>
            <td className="number">{lingerMs > 0 ? `${lingerMs} ms` : '–'}</td>
            <td>
              <Chart points={history} of={({ rate }) => rate} label={`Events a second of ${name}`} />
            </td>
            <td>
              <Chart points={history} of={({ behind: own }) => own} label={`Events behind of ${name}`} />
            </td>
          </tr>
        ))}
      </Table>
      <h2>Topics</h2>
      <Table
        label="Topics"
        columns={['Topic', 'Written by', 'Events', number('Records'), number('Rate'), 'Events/s, last hour']}
      >
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
      </Table>
    </>
  )
}
